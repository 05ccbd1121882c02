/**
 * The process: configuration → database → queue → API and receivers, with health and metrics from the first moment on.
 */
import { connectionConfig } from '@product-events/database'
import { startOrExit } from '@product-events/process'
import { listen, openQueue, openService } from '@product-events/process/service'
import { BACKLOG, refuseOtherSites, stopHttpApi } from '@product-events/http-api'
import { pgListen } from '@product-events/wake-ups/pg'
import { IN_HAND, LONG_POLL_SECONDS, MAX_RECEIVERS } from '@product-events/inbox'
import { createRetentionGauge, measureDependencies } from '@product-events/telemetry'
import { buildApp } from './app.ts'
import { channelLogLines } from './channels/log-lines.ts'
import { startChannels } from './channels/start-channels.ts'
import { readServiceConfig } from './config.ts'
import { createConsumer } from './consumer.ts'
import { notificationService } from './description.ts'
import { logLines } from './log-lines.ts'
import { createMetrics } from './metrics.ts'
import { keepSweeping, SWEEP } from './notifications/sweep.ts'
import { createWakeUps } from './notifications/wake-ups.ts'
import { createQueueMetrics, type QueueMetrics } from './queue-metrics.ts'

/** Each receiver polls, and deletes or extends each of the batches that it has in hand. */
const MAX_SQS_CONNECTIONS = MAX_RECEIVERS * (1 + IN_HAND)
/** What SQS may need for an answer beyond the time that a poll is held open. */
const SQS_ANSWER_MS = 3_000
/**
 * A stop must end within 10 s, and closing the rest takes moments. Requests that are still incomplete by then are cut
 * off.
 */
const CUT_REQUESTS_AFTER_MS = 6_000

await startOrExit(async () => {
  const config = readServiceConfig(process.env)
  const service = await openService(notificationService, config)
  const { logger, registry, pool, opened, stopping, database, readiness, at } = service
  const log = logLines(logger)

  const metrics = createMetrics(registry)
  let queueMetrics: QueueMetrics | undefined
  measureDependencies(registry, {
    database: async () => (await readiness.missing()).database === undefined,
    queue: async () => (await queueMetrics?.answers()) ?? false,
  })
  const requestTimeoutMs = LONG_POLL_SECONDS * 1000 + SQS_ANSWER_MS
  const { sqs, queue } = await openQueue(service, config, { requestTimeoutMs, maxConnections: MAX_SQS_CONNECTIONS })
  queueMetrics = createQueueMetrics(registry, sqs, queue.url, log)

  const listening = connectionConfig(config.database.url, config.database.credentials)
  const wakeUps = createWakeUps({
    pool,
    listen: pgListen({ ...listening, application_name: 'notification-service wake-ups' }),
    signal: stopping,
  })
  const app = buildApp({ pool, logger, log, registry, access: config.access, database, wakeUps })
  if (config.onlyThisMachine) refuseOtherSites(app)
  const api = await listen(service, app, { ...config, backlog: BACKLOG })
  const channels = startChannels(config.channels, {
    pool,
    registry,
    log: channelLogLines(logger),
    listen: pgListen({ ...listening, application_name: 'notification-service deliveries' }),
  })
  const onStored = wakeUps.stored
  const consumer = createConsumer({
    pool,
    outgoing: channels.outgoing,
    onStored,
    sqs,
    queueUrl: queue.url,
    log,
    metrics,
  })
  readiness.watch('database', () => {
    const reason = consumer.failing()
    return reason === undefined ? undefined : `stores nothing: ${reason}`
  })
  const receiving = consumer.run(stopping)
  const succeeded = createRetentionGauge(registry, [SWEEP])
  const sweeping = keepSweeping(pool, { log, succeeded: () => succeeded(SWEEP), stopping })
  opened.defer(
    async () =>
      void (await Promise.all([
        receiving,
        sweeping,
        wakeUps.ended,
        channels.stop(),
        stopHttpApi(app, CUT_REQUESTS_AFTER_MS),
      ])),
  )
  log.started({ api, ...at, queue: queue.url })
})
