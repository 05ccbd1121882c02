/**
 * Preloaded (`--import`) by npm scripts: reads `.env` of the folder they run in, if there is one. Variables that are set
 * win. Node's own `--env-file-if-exists` writes a line whenever there is none.
 */
try {
  process.loadEnvFile()
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  if (code !== 'ENOENT') {
    process.stderr.write(`.env cannot be read: ${message}\n`)
    process.exit(1)
  }
}
