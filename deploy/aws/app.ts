/** `node app.ts <settings file>`: what the CDK's command line runs, and `npm run synth`. */
import { createProductEvents } from './product-events.ts'
import { readSettings } from './settings.ts'

const [path] = process.argv.slice(2)
if (path === undefined) {
  console.error('usage: node app.ts <settings file>, such as settings.example.json')
  process.exit(2)
}
try {
  createProductEvents(readSettings(path)).synth()
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
