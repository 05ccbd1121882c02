import {
  connect,
  databaseFault,
  describeDatabase,
  disconnect,
  isRefusedLogin,
  migrateDatabase,
  type Migrations,
  migrationsDue,
  type Privileges,
} from '@product-events/database'
import { databaseOutage } from '@product-events/outages'
import {
  createLogger,
  createRegistry,
  endTracing,
  type Logger,
  type LogLevel,
  measurePool,
} from '@product-events/telemetry'
import { closeOnSignal } from './close-on-signal.ts'
import type { DatabaseConfig } from './database-config.ts'
import { createDatabaseWatch, type DatabaseWatch } from './database-watch.ts'
import { type ProcessLogLines, processLogLines } from './log-lines.ts'
import { startOperationsServer } from './operations-server.ts'
import { type AwaitedPart, createReadiness, HEALTH_QUERY_MS, type Readiness } from './readiness.ts'
import { StartError } from './start-error.ts'
import { waitUntilUp } from './wait-until-up.ts'

export interface ServiceConfig {
  database: DatabaseConfig
  host: string
  metricsPort: number
  logLevel: LogLevel
}

export interface ServiceDescription {
  name: string
  maxConnections: number
  /** In their order; the first set is the outbox's. */
  migrations: readonly [outbox: Migrations, ...own: Migrations[]]
  /** Makes sure that the outbox is this service's. Its message is for the operator. */
  claimOutbox: (db: ReturnType<typeof connect>) => Promise<void>
  /** Another service and the table of its migrations: the two must not share a database. */
  stranger: { name: string; table: string }
  privileges: Privileges
  awaited: AwaitedPart[]
}

/** The resources of a service. */
export interface Service {
  name: string
  logger: Logger
  log: ProcessLogLines
  registry: ReturnType<typeof createRegistry>
  pool: ReturnType<typeof connect>
  readiness: Readiness
  database: DatabaseWatch
  /** Closed in the opposite order when the process stops. */
  opened: AsyncDisposableStack
  /** Aborts when the process stops. */
  stopping: AbortSignal
  /** For the line that says that the service is ready. */
  at: { operations: string; database: string }
}

/**
 * Opens logger, metrics and health, then waits for the database and migrates it. From the first moment on a signal
 * closes everything that was opened, and health names the missing parts.
 */
export async function openService(
  description: ServiceDescription,
  { database, host, metricsPort, logLevel }: ServiceConfig,
): Promise<Service> {
  const { name, maxConnections, privileges, awaited } = description
  const logger = createLogger(name, logLevel)
  const log = processLogLines(logger)
  const { opened, stopping } = closeInOrder(log)
  opened.defer(endTracing)
  const registry = createRegistry()
  const connection = {
    databaseUrl: database.url,
    credentials: database.credentials,
    applicationName: name,
    onIdleError: log.connectionLost,
  }
  const pool = connect({ ...connection, maxConnections, stopping })
  measurePool(registry, pool)
  // A connection of its own: floods of probes take none of the requests, and busy requests make no probe wait.
  const healthPool = connect({ ...connection, maxConnections: 1, timeoutMs: HEALTH_QUERY_MS, onIdleError: () => {} })
  const readiness = createReadiness({
    awaited: ['migrations', ...awaited],
    askDatabase: () => databaseFault(healthPool, privileges),
    stopping,
  })
  const what = `metrics and health of ${name}`
  const operations = await startOperationsServer({ what, host, port: metricsPort, registry, readiness })
  opened.defer(() => {
    operations.close()
    operations.closeAllConnections()
  })
  opened.defer(async () => void (await Promise.all([disconnect(pool), disconnect(healthPool)])))
  const works = async () => {
    const { database, migrations } = await readiness.missing()
    return database === undefined && migrations === undefined
  }
  const at = { operations: `http://${host}:${metricsPort}`, database: describeDatabase(database.url) }
  await migrateOnceUp({ ...description, database, pool }, log, at.database, stopping)
  readiness.found('migrations')
  const watch = createDatabaseWatch({ works, log, stopping })
  return { name, logger, log, registry, pool, readiness, database: watch, opened, stopping, at }
}

/** On a signal, or on an uncaught error, closes everything in the opposite order of opening. */
function closeInOrder(log: ProcessLogLines): { opened: AsyncDisposableStack; stopping: AbortSignal } {
  const opened = new AsyncDisposableStack()
  const stopping = new AbortController()
  closeOnSignal({
    async close() {
      stopping.abort()
      await opened.disposeAsync()
    },
    onSignal: log.stopping,
    onCrash: log.crashed,
    onClosed: log.stopped,
  })
  // Node would print it, and not as JSON.
  process.removeAllListeners('warning').on('warning', log.warned)
  return { opened, stopping: stopping.signal }
}

interface MigrationOptions extends Pick<ServiceDescription, 'migrations' | 'stranger' | 'claimOutbox'> {
  database: DatabaseConfig
  pool: ReturnType<typeof connect>
}

async function migrateOnceUp(
  { database, migrations, stranger, claimOutbox, pool }: MigrationOptions,
  log: ProcessLogLines,
  where: string,
  signal: AbortSignal,
): Promise<void> {
  const { url: databaseUrl, credentials } = database
  const [outbox, ...own] = migrations
  const shared = { ...stranger, ownTable: migrations.at(-1)?.table ?? outbox.table }
  const options = { databaseUrl, credentials, sets: migrations, stranger: shared, onWaiting: log.waiting, signal }
  async function bringUpToDate(): Promise<string[]> {
    if (database.migrate === 'off') return demandMigrations(options)
    const first = await migrateDatabase({ ...options, sets: [outbox] })
    // Before the service's own tables: in another application's database nothing of it must appear.
    await claimOutbox(pool)
    return [...first, ...(await migrateDatabase({ ...options, sets: own }))]
  }
  const applied = await waitUntilUp(bringUpToDate, {
    what: `PostgreSQL at ${where}`,
    onWaiting: log.waiting,
    // A password from the URL does not change; one from a file may be the right one in a moment.
    isTemporary: (error) =>
      error instanceof MigrationsDue ||
      (databaseOutage(error) !== undefined && !(credentials.kind === 'url' && isRefusedLogin(error))),
    signal,
  })
  log.migrated(applied)
}

class MigrationsDue extends StartError {}

async function demandMigrations(options: Parameters<typeof migrationsDue>[0]): Promise<string[]> {
  const due = await migrationsDue(options)
  if (due.length === 0) return []
  throw new MigrationsDue(
    `MIGRATE=off, and these migrations are due: ${due.map(({ name }) => name).join(', ')}. Run \`npm run migrate\``,
  )
}
