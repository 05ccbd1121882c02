/** The process: config → database → queue → HTTP → receivers, with health and metrics from the first moment on. */
import { closeOnSignal, describePortError, startOrExit, waitUntilUp } from '@product-events/process'
import { connect, describeDatabase, disconnect, migrate } from '@product-events/database'
import { BACKLOG, refuseOtherSites, stopHttpApi } from '@product-events/http-api'
import { outboxMigrations } from '@product-events/outbox'
import { createOutageWatch, databaseOutage } from '@product-events/outages'
import { connectSqs, findOrCreateQueue, isTemporary, queueNameOf } from '@product-events/queue'
import {
  createLogger,
  createReadiness,
  endTracing,
  measureDependencies,
  measurePool,
  startOperationsServer,
} from '@product-events/telemetry'
import { buildApp } from './app.ts'
import { channelLogLines } from './channels/log-lines.ts'
import { startChannels } from './channels/start-channels.ts'
import { readServiceConfig } from './config.ts'
import { createInbox } from './inbox.ts'
import { logLines } from './log-lines.ts'
import { LONG_POLL_SECONDS, sourceQueue } from './messages.ts'
import { createMetrics } from './metrics.ts'
import { notificationMigrations } from './migrations.ts'
import { keepSweeping } from './notifications/sweep.ts'
import { createQueueMetrics, type QueueMetrics } from './queue-metrics.ts'
import { IN_HAND, MAX_RECEIVERS, runReceivers } from './receive.ts'
import { traceMessages } from './trace-messages.ts'

/** One for the inbox, one for the sweep, and the rest for the HTTP API and the health check. */
const MAX_CONNECTIONS = 10
/** Each receiver polls, and deletes or extends each of the batches that it has in hand. */
const MAX_SQS_CONNECTIONS = MAX_RECEIVERS * (1 + IN_HAND)
/** What SQS may need for an answer beyond the time that a poll is held open. */
const SQS_ANSWER_MS = 3_000
/** A stop must end within 10 s, and closing the rest takes moments. Whoever has not sent its request by then is cut off. */
const CUT_REQUESTS_AFTER_MS = 6_000

const stopping = new AbortController()
/** What was opened, closed in the opposite order. */
const opened = new AsyncDisposableStack()

await startOrExit(async () => {
  const { host, httpPort, metricsPort, databaseUrl, queueUrl, queueName, ...config } = readServiceConfig(process.env)
  const logger = createLogger('notification-service', config.logLevel)
  const log = logLines(logger)
  closeOnSignal({
    async close() {
      stopping.abort()
      await opened.disposeAsync()
    },
    onSignal: log.stopping,
    onCrash: log.crashed,
    onClosed: log.stopped,
  })

  opened.defer(endTracing)
  const metrics = createMetrics()
  const { registry } = metrics
  const database = describeDatabase(databaseUrl)
  const pool = connect({
    databaseUrl,
    applicationName: 'notification-service',
    maxConnections: MAX_CONNECTIONS,
    onIdleError: log.connectionLost,
  })
  const { found, missing } = createReadiness({
    awaited: ['migrations', 'queue', 'api'],
    askDatabase: () => pool.query('SELECT FROM notifications LIMIT 1'),
    stopping: stopping.signal,
  })
  let queueMetrics: QueueMetrics | undefined
  measurePool(registry, pool)
  measureDependencies(registry, {
    database: async () => (await missing()).database === undefined,
    queue: async () => (await queueMetrics?.answers()) ?? false,
  })
  const operations = await startOperationsServer({ host, port: metricsPort, registry, missing }).catch(
    (error: Error) => {
      throw describePortError(error, 'metrics and health of notification-service', metricsPort, 'METRICS_PORT')
    },
  )
  opened.defer(() => {
    operations.close()
    operations.closeAllConnections()
  })
  opened.defer(() => disconnect(pool))

  const waiting = { onWaiting: log.waiting, signal: stopping.signal }
  const migrations = await waitUntilUp(() => migrate(databaseUrl, outboxMigrations, notificationMigrations), {
    what: `PostgreSQL at ${database}`,
    isTemporary: (error) => databaseOutage(error) !== undefined,
    ...waiting,
  })
  found('migrations')
  log.migrated(migrations)

  const sqs = connectSqs({
    endpoint: config.sqsEndpoint,
    region: config.awsRegion,
    requestTimeoutMs: LONG_POLL_SECONDS * 1000 + SQS_ANSWER_MS,
    maxConnections: MAX_SQS_CONNECTIONS,
  })
  opened.defer(() => sqs.destroy())
  const queue = await waitUntilUp(
    async () => sourceQueue(sqs, queueUrl ?? (await findOrCreateQueue(sqs, queueName)).url),
    {
      what: `the queue ${queueUrl ?? queueName} at ${config.sqsEndpoint ?? `AWS (${config.awsRegion})`}`,
      isTemporary,
      ...waiting,
    },
  )
  found('queue')
  queueMetrics = createQueueMetrics(registry, sqs, queue.url)

  const app = buildApp({ pool, logger, log, registry, access: config.access })
  if (config.onlyThisMachine) refuseOtherSites(app)
  const api = await app.listen({ host, port: httpPort, backlog: BACKLOG }).catch((error: Error) => {
    throw describePortError(error, 'the API of notification-service', httpPort, 'HTTP_PORT')
  })
  const channels = startChannels(config.channels, { pool, registry, log: channelLogLines(logger) })
  const inbox = createInbox({
    pool,
    outgoing: channels.outgoing,
    reachable: createOutageWatch({ lost: log.databaseLost, back: log.databaseBack }),
    stopping: stopping.signal,
  })
  const reachable = createOutageWatch({ lost: log.sqsLost, back: log.sqsBack })
  const tracing = traceMessages(queueNameOf(queue.url))
  const receiving = runReceivers({
    inbox,
    pool,
    sqs,
    queue,
    log,
    metrics,
    tracing,
    reachable,
    stopping: stopping.signal,
  })
  const sweeping = keepSweeping(pool, log.swept, stopping.signal)
  opened.defer(
    async () =>
      void (await Promise.all([receiving, sweeping, channels.stop(), stopHttpApi(app, CUT_REQUESTS_AFTER_MS)])),
  )
  found('api')
  log.started({ api, operations: `http://${host}:${metricsPort}`, database, queue: queue.url })
}, stopping.signal)
