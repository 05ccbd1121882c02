// Preloaded (`--import`) by npm scripts: reads `.env` of the folder they run in, if there is one. Variables that are
// set win. Node's own `--env-file-if-exists` writes a line whenever there is none.
// oxlint-disable-next-line import/no-unassigned-import -- it checks, and gives nothing
import './demand-node.js'

try {
  process.loadEnvFile()
} catch (error) {
  if (error.code !== 'ENOENT') {
    process.stderr.write(`.env cannot be read: ${error.message}\n`)
    process.exit(1)
  }
}
