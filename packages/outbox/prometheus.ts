import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'
import { sampled } from '@product-events/outages'
import { backlog, UNKNOWN_BACKLOG } from './backlog.ts'
import { type Database, outboxTables } from './database.ts'
import { lanesWithoutRelay } from './lanes.ts'
import { LEASE_MS } from './lease.ts'
import type { RelayReport } from './reports.ts'

/**
 * Just written rows cost two microseconds each to count, and rows that no vacuum has seen yet several times that: above
 * this a count would take a second, again and again, while the relay has more to do than ever.
 */
const COUNT_UP_TO = 250_000
/** From "nudged and sent at once" over "the next poll" to "SQS was unreachable". */
const DELAY_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200,
]

/** The outbox's own metrics. Give `record` to the relay as its `report` (or call it from there). */
export function createOutboxMetrics(
  registry: Registry,
  db: Database,
  schema?: string,
): { record(report: RelayReport): void } {
  for (const gauge of backlogGauges(db, schema)) registry.registerMetric(gauge)
  const metrics = relayMetrics([registry])
  return {
    record(report) {
      switch (report.kind) {
        case 'published':
          metrics.published.inc(report.events.length)
          for (const { createdAt } of report.events)
            metrics.delay.observe(Math.max(0, report.at - createdAt.getTime()) / 1000)
          break
        case 'failed':
          metrics.failures.inc({ reason: 'refused' })
          break
        case 'dead':
          metrics.failures.inc({ reason: 'dead' })
          break
        case 'broker-away':
          metrics.failures.inc({ reason: 'outage' })
          break
        case 'pruned':
          metrics.prunedAt.set(report.at / 1000)
          break
        case 'lanes':
          metrics.lanes.set(report.owned)
          break
      }
    },
  }
}

/** The work of this process's relay. */
function relayMetrics(registers: Registry[]) {
  const failures = new Counter({
    name: 'outbox_publish_failures_total',
    help: 'Failures: refused (a try of one event), dead (one event, for good), outage (the broker as a whole, once however long)',
    labelNames: ['reason'],
    registers,
  })
  for (const reason of ['refused', 'dead', 'outage']) failures.inc({ reason }, 0)
  return {
    failures,
    published: new Counter({
      name: 'outbox_events_published_total',
      help: 'Events that the broker accepted',
      registers,
    }),
    delay: new Histogram({
      name: 'outbox_publish_delay_seconds',
      help: 'Seconds from the append of an event to its acceptance by the broker',
      buckets: DELAY_BUCKETS_SECONDS,
      registers,
    }),
    lanes: new Gauge({ name: 'outbox_lanes_owned', help: 'Lanes that this relay owns', registers }),
    prunedAt: new Gauge({
      name: 'outbox_retention_last_success_timestamp_seconds',
      help: 'When the last pass over the events past their retention succeeded (Unix time); 0 before the first. One relay of many makes them',
      registers,
    }),
  }
}

/** The state of the tables, whichever process works on them. */
function backlogGauges(db: Database, schema: string | undefined): Gauge[] {
  const tables = outboxTables(db, schema)
  const sample = sampled(() => backlog(tables, COUNT_UP_TO), UNKNOWN_BACKLOG)
  const freeLanes = sampled(() => lanesWithoutRelay(tables, LEASE_MS), NaN)
  return [
    // By the table, not by the sum of what relays own: relays may run whose metrics nothing scrapes.
    new Gauge({
      name: 'outbox_lanes_without_relay',
      help: 'Lanes that no living relay owns: their events wait',
      registers: [],
      async collect() {
        this.set(await freeLanes())
      },
    }),
    new Gauge({
      name: 'outbox_events',
      help: 'Events that are not processed, by status: pending, failed (a retry is due), dead (an operator has to act). Counted up to 250000',
      labelNames: ['status'],
      registers: [],
      async collect() {
        const now = await sample()
        for (const status of ['pending', 'failed', 'dead'] as const) this.set({ status }, now[status])
      },
    }),
    new Gauge({
      name: 'outbox_oldest_pending_seconds',
      help: 'Age of the oldest event that is pending or failed, in seconds; 0 when there is none',
      registers: [],
      async collect() {
        this.set((await sample()).oldestSeconds)
      },
    }),
  ]
}
