import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'
import { waitSeconds } from './event.ts'
import { MAX_RECEIVERS } from './limits.ts'
import type { InboxReport, Report } from './reports.ts'

/** From a message that is handled at once (milliseconds) to one that waited for an outage to end (hours). */
const WAIT_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]
/** From a batch of one (a commit and a delete) to a database that was unreachable for a while. */
const HANDLING_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30, 300]

const OUTCOMES = ['stored', 'duplicate', 'stale', 'unhandled', 'refused', 'invalid'] as const

/** Metrics of one consumer, in `registry`. Returns the report that counts; call it beside your own. */
export function inboxMetrics(registry: Registry): Report {
  const registers = [registry]
  const outcomes = new Counter({
    name: 'inbox_messages_total',
    help: 'Messages by what became of them. A refused or invalid one counts at each receive.',
    labelNames: ['outcome'] as const,
    registers,
  })
  const received = new Counter({
    name: 'inbox_messages_received_total',
    help: 'Messages that polls brought; one that comes again counts again.',
    registers,
  })
  const wait = new Histogram({
    name: 'inbox_queue_wait_seconds',
    help: 'Seconds from the acceptance of a message by the queue to its first receive.',
    buckets: WAIT_BUCKETS_SECONDS,
    registers,
  })
  const handling = new Histogram({
    name: 'inbox_handling_seconds',
    help: 'Seconds from the receive of a batch of messages to its end: stored, and deleted.',
    buckets: HANDLING_BUCKETS_SECONDS,
    registers,
  })
  const receivers = new Gauge({
    name: 'inbox_receivers',
    help: `Receivers at work in this process, of at most ${MAX_RECEIVERS}.`,
    registers,
  })
  const up = new Gauge({
    name: 'inbox_up',
    help: '0 while the consumer holds messages because of the database, the queue or a handler; else 1.',
    registers,
  })
  // A rate over a counter that does not exist yet misses its first increase.
  for (const outcome of OUTCOMES) outcomes.inc({ outcome }, 0)
  up.set(1)
  const away = new Set<string>()
  return (report: InboxReport) => {
    switch (report.kind) {
      case 'received':
        received.inc(report.messages.length)
        for (const message of report.messages) {
          const seconds = waitSeconds(message)
          if (seconds !== undefined) wait.observe(Math.max(0, seconds))
        }
        return
      case 'handled':
        return handling.observe(report.seconds)
      case 'receivers':
        return receivers.set(report.active)
      case 'away':
      case 'back':
        if (report.kind === 'away') away.add(report.what)
        else away.delete(report.what)
        return up.set(away.size === 0 ? 1 : 0)
      case 'stored':
      case 'duplicate':
      case 'stale':
      case 'unhandled':
      case 'refused':
      case 'invalid':
        return outcomes.inc({ outcome: report.kind })
      case 'not-deleted':
      case 'not-hidden':
      case 'pruned':
    }
  }
}
