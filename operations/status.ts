/** `npm run status`: how the seven steps are doing, on one screen. `--help` tells. */
import { StartError } from '@product-events/process'
import { EXIT, harmless, runProcess } from '@product-events/terminal'
import { readDatabasesConfig, readQueueConfig, readStackConfig, readStatusConfig } from './config.ts'
import { openSources } from './open-sources.ts'
import { nameProcesses, program, readArguments } from './status/arguments.ts'
import { runStatus } from './status/run.ts'
import { sayWhichStack } from './which-stack.ts'

/** The screen must not wait long for a frozen dependency. */
const TIMEOUT_MS = 5_000

await runProcess(program.name, async (terminal) => {
  const { stdout, stderr, args, signal } = terminal
  try {
    const stack = nameProcesses(args) ? undefined : readStackConfig(process.env)
    const config = readStatusConfig(process.env)
    const typed = readArguments(args, config)
    if (typed.kind === 'print') {
      stdout(typed.text)
      return EXIT.done
    }
    sayWhichStack(stack, terminal)
    await using opened = new AsyncDisposableStack()
    const sources = config.hasSources
      ? openSources(opened, {
          name: program.name,
          databases: readDatabasesConfig(process.env),
          queue: readQueueConfig(process.env),
          timeoutMs: TIMEOUT_MS,
        })
      : undefined
    const output = {
      write: stdout,
      colours: process.stdout.isTTY && config.colours,
      redraws: process.stdout.isTTY && config.redraws,
    }
    const code = await runStatus({ ...typed, sources, output, signal })
    return signal.aborted ? EXIT.interrupted : code
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    stderr(`${program.name}: ${harmless(error.message)}\n`)
    return EXIT.notUnderstood
  }
})
