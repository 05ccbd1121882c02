/** `npm start`: the whole system on this machine. `--help` lists what can be set. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { help, portsOf, readStartConfig, type StartConfig } from './config.ts'
import { lock } from './lock.ts'
import { logLine } from './log-lines.ts'
import { demandFreePorts } from './ports.ts'
import { type LocalPostgres, startPostgres, stopOrphanedPostgres } from './postgres.ts'
import { type ServiceName, startService, untilReady } from './service.ts'
import { startSqs } from './sqs.ts'
import { farewell, summary } from './summary.ts'
import { type End, supervise, type Supervisor } from './supervise.ts'
import { createDatabase } from './testing/fresh.ts'

/** The services are stopped first, then what they stand on. */
const GROUND = 0
const SERVICES = 1

/** What the services log before everything is up waits for the summary, so that the summary comes first. */
const held: string[] = []
let holding = true

await main()

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
  if (values.help) return void process.stdout.write(help)
  const supervisor = supervise()
  const end = await Promise.race([
    bringUp(supervisor).then(
      () => supervisor.ended,
      (error: Error): End => ({ kind: 'failed', error }),
    ),
    supervisor.ended,
  ])
  release()
  say(`\n${farewell(end)}`)
  await supervisor.stop()
  process.exit(end.kind === 'signal' ? 0 : 1)
}

async function bringUp(supervisor: Supervisor): Promise<void> {
  const config = readStartConfig(process.env)
  await lock(config.dataDir)
  // What the first start compiled, the next ones need not: each of the processes is there in half the time.
  process.env.NODE_COMPILE_CACHE ??= join(config.dataDir, 'compiled')
  await stopOrphanedPostgres(postgresDir(config))
  await demandFreePorts(config.ports)
  const [postgres] = await Promise.all([
    supervisor.start(GROUND, () => startLocalPostgres(config)),
    supervisor.start(GROUND, () =>
      startSqs({ port: config.ports.SQS_PORT, dataDir: join(config.dataDir, 'sqs'), detached: true }),
    ),
  ])
  await Promise.all([
    bringUpService(supervisor, config, 'product-service', () => createDatabase(postgres.url, 'products')),
    bringUpService(supervisor, config, 'notification-service', () => createDatabase(postgres.url, 'notifications')),
  ])
  say(summary(config, postgres))
  release()
}

function startLocalPostgres(config: StartConfig): Promise<LocalPostgres> {
  return startPostgres({
    dataDir: postgresDir(config),
    port: config.ports.POSTGRES_PORT,
    detached: true,
    onFirstStart: () => say(`First start: making a PostgreSQL below ${config.dataDir}; this takes a few seconds.`),
  })
}

async function bringUpService(
  supervisor: Supervisor,
  config: StartConfig,
  name: ServiceName,
  database: () => Promise<string>,
): Promise<void> {
  const { http, metrics } = portsOf(config, name)
  const databaseUrl = await database()
  const service = await supervisor.start(SERVICES, () =>
    startService(name, {
      databaseUrl,
      sqsEndpoint: `http://127.0.0.1:${config.ports.SQS_PORT}`,
      queueName: config.queueName,
      httpPort: http,
      metricsPort: metrics,
      logLevel: config.logLevel,
      variables: config.tracing,
      onLine: (line) => show(logLine(name, line, process.stdout.isTTY)),
    }),
  )
  await untilReady(service, metrics, supervisor.signal)
}

function postgresDir({ dataDir }: StartConfig): string {
  return join(dataDir, 'postgres')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function show(line: string): void {
  if (holding) held.push(line)
  else process.stdout.write(line)
}

function release(): void {
  holding = false
  for (const line of held.splice(0)) process.stdout.write(line)
}
