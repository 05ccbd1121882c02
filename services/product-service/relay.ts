import { connectionConfig } from '@product-events/database'
import { pgListen } from '@product-events/outbox/adapters'
import { type TraceHeaders, traceSends } from '@product-events/outbox/opentelemetry'
import { createOutboxMetrics } from '@product-events/outbox/prometheus'
import { sendToSqs } from '@product-events/outbox/sqs'
import { activeTracer, type Logger, readTraceHeaders, traceHeaders } from '@product-events/telemetry'
import type { Config } from './config.ts'
import { logRelayReport } from './log-lines.ts'
import { outbox, OWNER } from './outbox.ts'
import type { Resources } from './resources.ts'

/** A caller's trace context goes into rows and messages only if it is valid. */
const CHECKED_HEADERS: TraceHeaders = {
  read: ({ traceparent, tracestate }) => readTraceHeaders(traceparent, tracestate),
  write: (context) => ({ ...traceHeaders(context) }),
}

/**
 * Starts the relay from the outbox to the queue. When `opened` is disposed of, it stops after its sends in flight are
 * finished and settled.
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
  const tracer = activeTracer()
  const send = sendToSqs({ sqs, queueUrl: queue.url, bounded: true })
  const relay = outbox.createRelay({
    owner: OWNER,
    db: pool,
    send: tracer ? traceSends(send, { queue: queue.name, tracer, headers: CHECKED_HEADERS }) : send,
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
