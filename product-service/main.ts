import type { SQSClient } from '@aws-sdk/client-sqs'
import closeWithGrace from 'close-with-grace'
import { describePortError, startOrExit, waitUntilUp } from 'configuration'
import { connect, describeDatabase, migrate } from 'database'
import { databaseFailure, stopHttpApi } from 'http-api'
import { outboxMigrations } from 'outbox'
import { connectSqs, findOrCreateQueue, findQueueAt, isTemporary, type Queue } from 'queue'
import {
  createLogger,
  createRegistry,
  type Logger,
  type Missing,
  type Registry,
  startOperationsServer,
} from 'telemetry'
import { buildApp } from './app.ts'
import { type Config, readProductServiceConfig } from './config.ts'
import { missingParts, type ProcessState } from './health.ts'
import { logLines } from './log-lines.ts'
import { productMigrations } from './migrations.ts'

/** PostgreSQL on few cores gets no faster with more; the rest of the requests waits here and not there. */
const MAX_CONNECTIONS = 10
/** As many calls as the relay has under way, and some for finding the queue. */
const MAX_SQS_CONNECTIONS = 10
/** SQS answers within milliseconds. A call that takes longer than this counts as failed, well within a lease. */
const SQS_TIMEOUT_MS = 5_000
/** A stop must end within 10 s, and closing the rest takes moments. Whoever has not sent its request by then is cut off. */
const CUT_REQUESTS_AFTER_MS = 6_000
const STOP_TIMEOUT_MS = 9_500

const stopping = new AbortController()
/** What was opened, closed in the opposite order. */
const opened = new AsyncDisposableStack()

await startOrExit(start, stopping.signal)

async function start(): Promise<void> {
  const config = readProductServiceConfig()
  const logger = createLogger('product-service', config.logLevel)
  stopOnSignal(logger)

  const registry = createRegistry()
  const pool = connect({
    databaseUrl: config.databaseUrl,
    applicationName: 'product-service',
    maxConnections: MAX_CONNECTIONS,
    onIdleError: (error) => logLines.connectionLost(logger, error),
  })
  const state: ProcessState = { queueFound: false, stopping: stopping.signal }
  const operations = await openOperations(config, registry, () => missingParts(pool, state))
  opened.defer(() => pool.end())

  await migrateOnceUp(config, logger)
  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.awsRegion,
    requestTimeoutMs: SQS_TIMEOUT_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  opened.defer(() => sqs.destroy())
  const queue = await findQueueOnceUp(sqs, config, logger)
  state.queueFound = true

  const app = buildApp({ logger, registry, pool, nudge: () => {} })
  opened.defer(() => stopHttpApi(app, CUT_REQUESTS_AFTER_MS))
  const api = await app.listen({ host: config.host, port: config.httpPort }).catch((error: Error) => {
    throw describePortError(error, 'the API of product-service', config.httpPort, 'HTTP_PORT')
  })
  logLines.started(logger, { api, operations, database: describeDatabase(config.databaseUrl), queue: queue.url })
}

function stopOnSignal(logger: Logger): void {
  closeWithGrace({ delay: STOP_TIMEOUT_MS, logger: false }, async ({ signal, err }) => {
    if (err) logLines.crashed(logger, err)
    else logLines.stopping(logger, signal)
    stopping.abort()
    await opened.disposeAsync()
    logLines.stopped(logger)
  })
}

/** Opened first and closed last, so that health can be asked for at any time. */
async function openOperations(
  { host, metricsPort }: Config,
  registry: Registry,
  missing: () => Promise<Missing>,
): Promise<string> {
  const server = await startOperationsServer({ host, port: metricsPort, registry, missing }).catch((error: Error) => {
    throw describePortError(error, 'metrics and health of product-service', metricsPort, 'METRICS_PORT')
  })
  opened.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://${host}:${metricsPort}`
}

async function migrateOnceUp({ databaseUrl }: Config, logger: Logger): Promise<void> {
  const migrations = await waitUntilUp(() => migrate(databaseUrl, outboxMigrations, productMigrations), {
    what: `PostgreSQL at ${describeDatabase(databaseUrl)}`,
    onWaiting: (what, reason) => logLines.waiting(logger, what, reason),
    isTemporary: (error) => databaseFailure(error) !== undefined,
    signal: stopping.signal,
  })
  logLines.migrated(logger, migrations)
}

function findQueueOnceUp(sqs: SQSClient, config: Config, logger: Logger): Promise<Queue> {
  const { queueUrl, queueName, sqsEndpoint, awsRegion } = config
  return waitUntilUp(() => (queueUrl ? findQueueAt(sqs, queueUrl) : findOrCreateQueue(sqs, queueName)), {
    what: `the queue ${queueUrl ?? queueName} at ${sqsEndpoint ?? `AWS (${awsRegion})`}`,
    onWaiting: (what, reason) => logLines.waiting(logger, what, reason),
    isTemporary,
    signal: stopping.signal,
  })
}
