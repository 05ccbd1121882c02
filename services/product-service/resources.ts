import type { SQSClient } from '@aws-sdk/client-sqs'
import { closeOnSignal, describePortError, waitUntilUp } from '@product-events/process'
import { connect, describeDatabase, disconnect, migrate } from '@product-events/database'
import { databaseOutage } from '@product-events/outages'
import { claimOutbox, outboxMigrations, outboxTables, SEND_TIMEOUT_MS } from '@product-events/outbox'
import type pg from 'pg'
import { connectSqs, findOrCreateQueue, findQueueAt, isTemporary, type Queue } from '@product-events/queue'
import {
  type AwaitedPart,
  createReadiness,
  createRegistry,
  endTracing,
  type Logger,
  type Readiness,
  measureDependencies,
  measurePool,
  type Registry,
  startOperationsServer,
} from '@product-events/telemetry'
import type { Config } from './config.ts'
import { logLines } from './log-lines.ts'
import { productMigrations } from './migrations.ts'

/** Whose outbox it is: the same in every process that relays its events. */
export const OWNER = 'product-service'
/** PostgreSQL on few cores gets no faster with more; the rest of the requests waits here and not there. */
const MAX_CONNECTIONS = 10
/** As many calls as the relay has under way, and some for finding the queue. */
const MAX_SQS_CONNECTIONS = 10

/** What the relay knows of the queue. */
export interface QueueState {
  /** Whether its last sends arrived there. */
  takesEvents: boolean
}

/** What both processes of this folder stand on. */
export interface Resources {
  registry: Registry
  pool: pg.Pool
  sqs: SQSClient
  queue: Queue
  queueState: QueueState
  /** Where metrics and health are. */
  operations: string
  /** Knows of the database, the migrations and the queue; told of the rest by the process. */
  readiness: Readiness
}

/**
 * Opens health and metrics first, so that they can be asked for at any time, then waits for the database and the queue.
 * What it opens is closed by `opened`, in the opposite order.
 */
export async function openResources(
  name: string,
  config: Config,
  logger: Logger,
  opened: AsyncDisposableStack,
  stopping: AbortSignal,
  alsoAwaited: AwaitedPart[] = [],
): Promise<Resources> {
  opened.defer(endTracing)
  const registry = createRegistry()
  const pool = connect({
    databaseUrl: config.databaseUrl,
    applicationName: name,
    maxConnections: MAX_CONNECTIONS,
    onIdleError: (error) => logLines.connectionLost(logger, error),
  })
  const readiness = createReadiness({
    awaited: ['migrations', 'queue', ...alsoAwaited],
    askDatabase: () => pool.query('SELECT FROM products LIMIT 1'),
    stopping,
  })
  const queueState: QueueState = { takesEvents: false }
  const operations = await openOperations(name, config, registry, pool, readiness, queueState, opened)
  opened.defer(() => disconnect(pool))

  await migrateOnceUp(config, pool, logger, stopping)
  readiness.found('migrations')
  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.awsRegion,
    // SQS answers within milliseconds, and this is what a relay's lease allows for.
    requestTimeoutMs: SEND_TIMEOUT_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  opened.defer(() => sqs.destroy())
  const queue = await findQueueOnceUp(sqs, config, logger, stopping)
  readiness.found('queue')
  queueState.takesEvents = true
  return { registry, pool, sqs, queue, queueState, operations, readiness }
}

/** On a signal, or on an error that nothing caught: aborts `stopping`, then closes what was opened, last things first. */
export function closeResourcesOnSignal(logger: Logger, opened: AsyncDisposableStack, stopping: AbortController): void {
  closeOnSignal({
    async close() {
      stopping.abort()
      await opened.disposeAsync()
    },
    onSignal: (signal) => logLines.stopping(logger, signal),
    onCrash: (error) => logLines.crashed(logger, error),
    onClosed: () => logLines.stopped(logger),
  })
}

async function openOperations(
  name: string,
  { host, metricsPort }: Config,
  registry: Registry,
  pool: pg.Pool,
  { missing }: Readiness,
  queueState: QueueState,
  opened: AsyncDisposableStack,
): Promise<string> {
  measurePool(registry, pool)
  measureDependencies(registry, {
    database: async () => (await missing()).database === undefined,
    queue: async () => queueState.takesEvents,
  })
  const server = await startOperationsServer({ host, port: metricsPort, registry, missing }).catch((error: Error) => {
    throw describePortError(error, `metrics and health of ${name}`, metricsPort, 'METRICS_PORT')
  })
  opened.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://${host}:${metricsPort}`
}

async function migrateOnceUp(
  { databaseUrl }: Config,
  pool: pg.Pool,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  async function bringUpToDate(): Promise<string[]> {
    const outbox = await migrate(databaseUrl, outboxMigrations)
    // Before the service's own tables: in another application's database nothing of it must appear.
    await claimOutbox(outboxTables(pool), OWNER)
    return [...outbox, ...(await migrate(databaseUrl, productMigrations))]
  }
  const migrations = await waitUntilUp(bringUpToDate, {
    what: `PostgreSQL at ${describeDatabase(databaseUrl)}`,
    onWaiting: (what, reason) => logLines.waiting(logger, what, reason),
    isTemporary: (error) => databaseOutage(error) !== undefined,
    signal,
  })
  logLines.migrated(logger, migrations)
}

function findQueueOnceUp(sqs: SQSClient, config: Config, logger: Logger, signal: AbortSignal): Promise<Queue> {
  const { queueUrl, queueName, sqsEndpoint, awsRegion } = config
  return waitUntilUp(() => (queueUrl ? findQueueAt(sqs, queueUrl) : findOrCreateQueue(sqs, queueName)), {
    what: `the queue ${queueUrl ?? queueName} at ${sqsEndpoint ?? `AWS (${awsRegion})`}`,
    onWaiting: (what, reason) => logLines.waiting(logger, what, reason),
    isTemporary,
    signal,
  })
}
