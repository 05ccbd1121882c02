import { connectionConfig } from '@product-events/database'
import { pgListen } from '@product-events/outbox/adapters'
import { createOutboxMetrics } from '@product-events/outbox/prometheus'
import { sendToSqs } from '@product-events/outbox/sqs'
import type { Logger } from '@product-events/telemetry'
import type { Config } from './config.ts'
import { logRelayReport } from './log-lines.ts'
import { outbox, OWNER } from './outbox.ts'
import type { Resources } from './resources.ts'
import { traceSends } from './trace-sends.ts'

/**
 * Starts the relay from the outbox to the queue. It stops, with what is on its way sent and settled, when `opened` is
 * disposed of.
 */
export function startRelay(
  { name, pool, sqs, queue, registry, readiness, queueState }: Resources,
  { database: { url, credentials }, pollIntervalMs, retentionHours }: Config,
  logger: Logger,
  opened: AsyncDisposableStack,
): void {
  const metrics = createOutboxMetrics(registry, pool, 'public')
  let failing: string | undefined
  readiness.watch('outbox', () => failing)
  const relay = outbox.createRelay({
    owner: OWNER,
    db: pool,
    send: traceSends(sendToSqs({ sqs, queueUrl: queue.url, bounded: true }), queue.name),
    listen: pgListen({ ...connectionConfig(url, credentials), application_name: `${name} wake-ups` }),
    pollIntervalMs,
    retentionHours,
    report(report) {
      metrics.record(report)
      if (report.kind === 'database-away') failing = `can't be used: ${report.reason}`
      if (report.kind === 'database-back') failing = undefined
      if (report.kind === 'broker-away') queueState.takesEvents = false
      if (report.kind === 'broker-back') queueState.takesEvents = true
      logRelayReport(logger, report)
    },
  })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  opened.defer(async () => {
    stop.abort()
    await running
  })
}
