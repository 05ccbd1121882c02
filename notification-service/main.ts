/** The process: config → database → queue → HTTP → receivers, with health and metrics from the first moment on. */
import { once } from 'node:events'
import { describePortError, startOrExit, waitUntilUp } from 'configuration'
import { connect, describeDatabase, migrate } from 'database'
import { databaseFailure, stopHttpApi } from 'http-api'
import { connectSqs, findOrCreateQueue } from 'queue'
import { createLogger, startOperationsServer } from 'telemetry'
import { buildApp } from './app.ts'
import { closeOnSignal } from './close-on-signal.ts'
import { readServiceConfig } from './config.ts'
import { logLines } from './log-lines.ts'
import { LONG_POLL_SECONDS, sourceQueue } from './messages.ts'
import { createMetrics } from './metrics.ts'
import { notificationMigrations } from './migrations.ts'
import { reachability } from './reachability.ts'
import { missingParts, type Progress } from './readiness.ts'
import { RECEIVERS, runReceivers } from './receive.ts'

/** One for each receiver, and some for the HTTP API and the health check. */
const MAX_CONNECTIONS = RECEIVERS + 6
/** What SQS may need for an answer beyond the time that a poll is held open. */
const SQS_ANSWER_MS = 3_000
/** A request under way when the process stops has its answer within the database's timeout of 5 s, or never. */
const CUT_HTTP_AFTER_MS = 7_000

await startOrExit(async () => {
  const config = readServiceConfig(process.env)
  const logger = createLogger('notification-service', config.logLevel)
  const log = logLines(logger)
  const metrics = createMetrics()
  const progress: Progress = { pool: undefined, sqs: undefined, stopping: false }
  const stop = new AbortController()
  /** What is open, in the order of opening; closed from the last to the first. */
  const closers: (() => Promise<unknown>)[] = []
  closeOnSignal({
    async close() {
      progress.stopping = true
      stop.abort()
      for (const close of closers.toReversed()) await close()
    },
    onSignal: log.stopping,
    onCrash: log.crashed,
    onClosed: log.stopped,
  })

  const { host, httpPort, metricsPort, databaseUrl } = config
  const missing = () => missingParts(progress)
  const operations = await startOperationsServer({
    host,
    port: metricsPort,
    registry: metrics.registry,
    missing,
  }).catch((error: Error) => {
    throw describePortError(error, 'metrics and health', metricsPort, 'METRICS_PORT')
  })
  closers.push(() => {
    operations.close()
    operations.closeAllConnections()
    return once(operations, 'close')
  })

  const database = describeDatabase(databaseUrl)
  const waiting = { onWaiting: log.waiting, signal: stop.signal }
  const migrations = await waitUntilUp(() => migrate(databaseUrl, notificationMigrations), {
    what: `PostgreSQL at ${database}`,
    isTemporary: (error) => databaseFailure(error) !== undefined,
    ...waiting,
  })
  if (migrations.length > 0) log.migrated(migrations)
  const pool = connect({
    databaseUrl,
    applicationName: 'notification-service',
    maxConnections: MAX_CONNECTIONS,
    onIdleError: log.idleConnectionBroke,
  })
  closers.push(() => pool.end())
  progress.pool = pool

  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.region,
    requestTimeoutMs: LONG_POLL_SECONDS * 1000 + SQS_ANSWER_MS,
    // Each receiver polls, or deletes while it extends.
    maxConnections: RECEIVERS * 2,
  })
  closers.push(async () => sqs.destroy())
  const choice = config.queue
  const queue = await waitUntilUp(
    async () => sourceQueue(sqs, choice.kind === 'url' ? choice.url : (await findOrCreateQueue(sqs, choice.name)).url),
    { what: `the queue ${choice.kind === 'url' ? choice.url : choice.name}`, ...waiting },
  )
  const reachable = {
    database: reachability({ lost: log.databaseLost, back: log.databaseBack }),
    sqs: reachability({ lost: log.sqsLost, back: log.sqsBack }),
  }
  progress.sqs = reachable.sqs.missing

  const app = buildApp({ pool, logger, registry: metrics.registry })
  const http = await app.listen({ host, port: httpPort }).catch((error: Error) => {
    throw describePortError(error, 'the HTTP API', httpPort, 'HTTP_PORT')
  })
  const receiving = runReceivers({ pool, sqs, queue, log, metrics, reachable, stopping: stop.signal })
  closers.push(() => Promise.all([receiving, stopHttpApi(app, CUT_HTTP_AFTER_MS)]))
  log.started({ http, operations: `http://${host}:${metricsPort}`, database, queue: queue.url, receivers: RECEIVERS })
})
