import { productEvents } from '@product-events/contracts'
import { Counter, Gauge, Histogram, type Registry } from '@product-events/telemetry'

/**
 * Why a message did not become a notification:
 * - `invalid`: its body is not an event;
 * - `refused`: the database will never accept its content.
 */
export type FailureReason = 'invalid' | 'refused'

/** From a nudged relay (milliseconds) over a poll (2 s) to an outage (minutes, hours). */
const DELAY_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]

/** From a batch of one (a commit and a delete) to a database that was away for a while. */
const HANDLING_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 300]

export interface Metrics {
  /** A poll brought messages, which were in the queue for so long; undefined for one that was received before. */
  received: (waits: readonly (number | undefined)[]) => void
  /** A batch is done with, so long after its receive. */
  handled: (seconds: number) => void
  receivers: (active: number) => void
  /** `eventType` is `unknown` for an event that this version does not know, so that no message can make up labels. */
  notified: (eventType: string, delaySeconds: number) => void
  duplicate: () => void
  failure: (reason: FailureReason) => void
}

export function createMetrics(registry: Registry): Metrics {
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
    help: 'Seconds from the time of an event to its notification being stored.',
    buckets: DELAY_BUCKETS_SECONDS,
    registers,
  })
  const received = new Counter({
    name: 'queue_messages_received_total',
    help: 'Messages that polls brought; one that comes again counts again.',
    registers,
  })
  const wait = new Histogram({
    name: 'queue_wait_seconds',
    help: 'Seconds from the acceptance of a message by the queue to its first receive.',
    buckets: DELAY_BUCKETS_SECONDS,
    registers,
  })
  const handling = new Histogram({
    name: 'notification_handling_seconds',
    help: 'Seconds from the receive of a batch of messages to its end: stored, and deleted.',
    buckets: HANDLING_BUCKETS_SECONDS,
    registers,
  })
  const receivers = new Gauge({
    name: 'notification_receivers',
    help: 'Receivers that are at work in this process, of at most 16.',
    registers,
  })
  // A rate over a counter that is not there yet misses its first increase.
  for (const type of [...Object.keys(productEvents), 'unknown']) notifications.inc({ type }, 0)
  for (const reason of ['invalid', 'refused'] as const) failures.inc({ reason }, 0)
  return {
    received(waits) {
      received.inc(waits.length)
      for (const seconds of waits) if (seconds !== undefined) wait.observe(Math.max(0, seconds))
    },
    handled: (seconds) => handling.observe(seconds),
    receivers: (active) => receivers.set(active),
    notified(eventType, delaySeconds) {
      notifications.inc({ type: eventType })
      // The clocks of two servers: an event may seem to come from the future.
      delay.observe(Math.max(0, delaySeconds))
    },
    duplicate: () => duplicates.inc(),
    failure: (reason) => failures.inc({ reason }),
  }
}
