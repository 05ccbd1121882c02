/** `npm run status`: how the seven steps are doing, on one screen. `--help` tells. */
import { StartError } from '@product-events/process'
import { readStatusConfig } from './config.ts'
import { help, readArguments, UsageError } from './status/arguments.ts'
import { runStatus } from './status/run.ts'

const stop = new AbortController()
// Not once: a Ctrl-C arrives twice, from the terminal and from npm, and the second must not end us in the middle.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
// Whoever read our output has gone away.
process.stdout.on('error', () => stop.abort())

try {
  const config = readStatusConfig(process.env)
  const typed = readArguments(process.argv.slice(2), config)
  if (typed.kind === 'help') process.stdout.write(help)
  else {
    const terminal = process.stdout.isTTY
    const output = {
      write: (text: string) => void process.stdout.write(text),
      colours: terminal && config.colours,
      redraws: terminal && config.redraws,
    }
    process.exitCode = await runStatus({ ...typed, output, signal: stop.signal })
  }
} catch (error) {
  if (!(error instanceof UsageError || error instanceof StartError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
