import { Counter, createRegistry, Histogram, type Registry } from 'telemetry'

/**
 * Why a message did not become a notification:
 * - `invalid`: its body is no event;
 * - `refused`: the database will never take what it says.
 */
export type FailureReason = 'invalid' | 'refused'

/** From a nudged relay (milliseconds) over a poll (2 s) to an outage (minutes, hours). */
const DELAY_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]

export interface Metrics {
  registry: Registry
  /** `eventType` is `unknown` for an event that this version does not know, so that no message can make up labels. */
  notified: (eventType: string, delaySeconds: number) => void
  duplicate: () => void
  failure: (reason: FailureReason) => void
}

export function createMetrics(): Metrics {
  const registry = createRegistry()
  const registers = [registry]
  const notifications = new Counter({
    name: 'notifications_total',
    help: 'Notifications stored, by type of event; types that this version does not know count as unknown.',
    labelNames: ['type'] as const,
    registers,
  })
  const duplicates = new Counter({
    name: 'notifications_duplicates_total',
    help: 'Messages whose event was known already and changed nothing.',
    registers,
  })
  const failures = new Counter({
    name: 'notification_failures_total',
    help: 'Receives of messages that could not become a notification and were left to the dead-letter queue.',
    labelNames: ['reason'] as const,
    registers,
  })
  const delay = new Histogram({
    name: 'notification_delay_seconds',
    help: 'From the time of an event to its notification being stored.',
    buckets: DELAY_BUCKETS_SECONDS,
    registers,
  })
  // A rate over a counter that is not there yet misses its first increase.
  for (const reason of ['invalid', 'refused'] as const) failures.inc({ reason }, 0)
  return {
    registry,
    notified(eventType, delaySeconds) {
      notifications.inc({ type: eventType })
      // The clocks of two servers: an event may seem to come from the future.
      delay.observe(Math.max(0, delaySeconds))
    },
    duplicate: () => duplicates.inc(),
    failure: (reason) => failures.inc({ reason }),
  }
}
