/** `npm start`: the whole system on this machine. `--help` lists what can be set. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createProgress, EXIT, harmless, readProgram } from '@product-events/terminal'
import { program, readStartConfig, type StartConfig } from './config.ts'
import { startConsole } from './console.ts'
import { type Control, startControl } from './control/control.ts'
import { createStage } from './control/stage.ts'
import { openDataDir } from './data-dir.ts'
import { lock } from './lock.ts'
import { logLine } from './log-lines.ts'
import { createParts, type Parts, postgresDir, SERVICES } from './parts.ts'
import { demandFreePorts } from './ports.ts'
import { stopOrphanedPostgres } from './postgres.ts'
import { writeStackEnv } from './stack-env.ts'
import { farewell, summary } from './summary.ts'
import { type End, supervise, type Supervisor } from './supervise.ts'
import { createDatabase } from './testing/fresh.ts'

/** What the services log before everything is up waits for the summary, so that the summary comes first. */
const held: string[] = []
let holding = true
let control: Control | undefined
const progress = createProgress((text) => void process.stderr.write(text), process.stderr.isTTY)

await main()

async function main(): Promise<void> {
  const text = readArguments()
  if (text !== undefined) return void process.stdout.write(text)
  const supervisor = supervise()
  const end = await Promise.race([
    bringUp(supervisor).then(
      () => supervisor.ended,
      (error: Error): End => ({ kind: 'failed', error }),
    ),
    supervisor.ended,
  ])
  progress.end()
  release()
  say(`\n${farewell(end)}`)
  await control?.stop()
  await supervisor.stop()
  process.exit(end.kind === 'signal' ? 0 : 1)
}

/** A text to print instead of starting; undefined to start. Ends the process when it makes no sense. */
function readArguments(): string | undefined {
  try {
    const line = readProgram(program, process.argv.slice(2))
    return line.kind === 'print' ? line.text : undefined
  } catch (error) {
    process.stderr.write(`npm start: ${harmless((error as Error).message)}. Try npm start -- --help.\n`)
    return process.exit(EXIT.notUnderstood)
  }
}

async function bringUp(supervisor: Supervisor): Promise<void> {
  const config = readStartConfig(process.env)
  await openDataDir(config.dataDir)
  await lock(config.dataDir)
  // What the first start compiled, the next ones need not: each of the processes is there in half the time.
  process.env.NODE_COMPILE_CACHE ??= join(config.dataDir, 'compiled')
  await stopOrphanedPostgres(postgresDir(config))
  await demandFreePorts(config.ports)
  progress.now('starting PostgreSQL and SQS')
  const parts = createParts({ supervisor, config, say, onLine: showLine })
  const [postgres] = await Promise.all([parts.startPostgres(), parts.startSqs()])
  const [products, notifications] = await Promise.all([
    createDatabase(postgres.url, 'products'),
    createDatabase(postgres.url, 'notifications'),
  ])
  progress.now('starting the console and both services')
  await writeStackEnv(config, postgres.url)
  const controlUrl = await openControl(config, parts)
  await Promise.all([
    supervisor.start(SERVICES, () =>
      startConsole({ config, postgresUrl: postgres.url, controlUrl, onLine: (line) => showLine('console', line) }),
    ),
    parts.startService('product-service', products),
    parts.startService('notification-service', notifications),
  ])
  progress.end()
  say(summary(config, postgres))
  release()
}

/** `npm run demo` reads the address, with its token, from a file that other users cannot read. */
async function openControl(config: StartConfig, parts: Parts): Promise<string> {
  control = await startControl(createStage(config, parts))
  await writeFile(join(config.dataDir, 'control-url'), control.url, { mode: 0o600 })
  return control.url
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function showLine(service: string, line: string): void {
  const shown = logLine(service, line, process.stdout.isTTY)
  if (holding) held.push(shown)
  else process.stdout.write(shown)
}

function release(): void {
  holding = false
  for (const line of held.splice(0)) process.stdout.write(line)
}
