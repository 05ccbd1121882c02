// Preloaded (`--import`) by npm scripts. JavaScript: an older Node could not read TypeScript, and would end with a
// stack.
const OLDEST = 24
const found = process.versions.node
if (Number(found.split('.')[0]) < OLDEST) {
  process.stderr.write(
    `Node ${OLDEST} or later is required, and this is ${found}. ` +
      'On Linux and Windows npm ci installs one for this folder; elsewhere see https://nodejs.org\n',
  )
  process.exit(1)
}
