import { createOutboxMetrics, createRelay, sendToSqs } from 'outbox'
import type { Logger } from 'telemetry'
import type { Config } from './config.ts'
import { logRelayReport } from './log-lines.ts'
import type { Resources } from './resources.ts'

/**
 * Starts the relay from the outbox to the queue. It stops, with what is on its way sent and settled, when `opened` is
 * disposed of. Returns the nudge that tells it of a commit.
 */
export function startRelay(
  { pool, sqs, queue, registry }: Resources,
  { pollIntervalMs, retentionHours }: Config,
  logger: Logger,
  opened: AsyncDisposableStack,
): () => void {
  const metrics = createOutboxMetrics(registry, pool)
  const relay = createRelay({
    db: pool,
    send: sendToSqs({ sqs, queueUrl: queue.url, bounded: true }),
    pollIntervalMs,
    retentionHours,
    report(report) {
      metrics.record(report)
      logRelayReport(logger, report)
    },
  })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  opened.defer(async () => {
    stop.abort()
    await running
  })
  return relay.nudge
}
