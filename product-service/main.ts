import closeWithGrace from 'close-with-grace'
import { describePortError, startOrExit, waitUntilUp } from 'configuration'
import { connect, describeDatabase, migrate } from 'database'
import { databaseFailure, stopHttpApi } from 'http-api'
import { outboxMigrations } from 'outbox'
import { connectSqs, findOrCreateQueue, findQueueAt, isTemporary } from 'queue'
import { createLogger, createRegistry, startOperationsServer } from 'telemetry'
import { buildApp } from './app.ts'
import { readProductServiceConfig } from './config.ts'
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

await startOrExit(async () => {
  const config = readProductServiceConfig(process.env)
  const logger = createLogger('product-service', config.logLevel)
  closeWithGrace({ delay: STOP_TIMEOUT_MS, logger: false }, async ({ signal, err }) => {
    if (err) logLines.crashed(logger, err)
    else logLines.stopping(logger, signal)
    stopping.abort()
    await opened.disposeAsync()
    logLines.stopped(logger)
  })

  const registry = createRegistry()
  const database = describeDatabase(config.databaseUrl)
  const pool = connect({
    databaseUrl: config.databaseUrl,
    applicationName: 'product-service',
    maxConnections: MAX_CONNECTIONS,
    onIdleError: (error) => logLines.connectionLost(logger, error),
  })
  const state: ProcessState = { queueFound: false, stopping: stopping.signal }

  const operations = await startOperationsServer({
    host: config.host,
    port: config.metricsPort,
    registry,
    missing: () => missingParts(pool, state),
  }).catch((error: Error) => {
    throw describePortError(error, 'metrics and health of product-service', config.metricsPort, 'METRICS_PORT')
  })
  opened.defer(() => {
    operations.close()
    operations.closeAllConnections()
  })
  opened.defer(() => pool.end())

  const onWaiting = (what: string, reason: string) => logLines.waiting(logger, what, reason)
  const migrations = await waitUntilUp(() => migrate(config.databaseUrl, outboxMigrations, productMigrations), {
    what: `PostgreSQL at ${database}`,
    onWaiting,
    isTemporary: (error) => databaseFailure(error) !== undefined,
    signal: stopping.signal,
  })
  logLines.migrated(logger, migrations)

  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.awsRegion,
    requestTimeoutMs: SQS_TIMEOUT_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  opened.defer(() => sqs.destroy())
  const { queueUrl, queueName } = config
  const queue = await waitUntilUp(() => (queueUrl ? findQueueAt(sqs, queueUrl) : findOrCreateQueue(sqs, queueName)), {
    what: `the queue ${queueUrl ?? queueName} at ${config.sqsEndpoint ?? `AWS (${config.awsRegion})`}`,
    onWaiting,
    isTemporary,
    signal: stopping.signal,
  })
  state.queueFound = true

  const app = buildApp({ logger, registry, pool, nudge: () => {} })
  opened.defer(() => stopHttpApi(app, CUT_REQUESTS_AFTER_MS))
  const api = await app.listen({ host: config.host, port: config.httpPort }).catch((error: Error) => {
    throw describePortError(error, 'the API of product-service', config.httpPort, 'HTTP_PORT')
  })
  const address = operations.address()
  const port = typeof address === 'object' ? address?.port : config.metricsPort
  logLines.started(logger, { api, operations: `http://${config.host}:${port}`, database, queue: queue.url })
}, stopping.signal)
