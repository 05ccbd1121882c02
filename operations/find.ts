/** `npm run find -- <id>`: where an event is. `--help` tells. */
import { EXIT, readProgram, runProcess } from '@product-events/terminal'
import { readDatabasesConfig, readQueueConfig, readStackConfig } from './config.ts'
import { program } from './find/program.ts'
import { runFind } from './find/run.ts'
import { openSources } from './open-sources.ts'
import { sayWhichStack } from './which-stack.ts'

/** A scan of half a million rows takes two seconds. */
const QUERY_TIMEOUT_MS = 15_000

await runProcess(program.name, async (terminal) => {
  const line = readProgram(program, terminal.args)
  if (line.kind === 'print') {
    terminal.stdout(line.text)
    return EXIT.done
  }
  sayWhichStack(readStackConfig(process.env), terminal)
  const databases = readDatabasesConfig(process.env)
  const queue = readQueueConfig(process.env)
  await using opened = new AsyncDisposableStack()
  const sources = openSources(opened, { name: program.name, databases, queue, timeoutMs: QUERY_TIMEOUT_MS })
  return await runFind(line.words[0]!, line.options, terminal, { ...sources, signal: terminal.signal })
})
