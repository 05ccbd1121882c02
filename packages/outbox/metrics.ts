import { Counter, Gauge, Histogram, type Registry, sampled } from '@product-events/telemetry'
import { type Database, outboxTables, type Tables } from './database.ts'
import { LANES, lanesWithoutRelay } from './lanes.ts'
import { LEASE_MS } from './lease.ts'
import type { RelayReport } from './reports.ts'

/**
 * Just written rows cost two microseconds each to count, and rows that no vacuum has seen yet several times that: above
 * this a count would take a second, again and again, while the relay has more to do than ever.
 */
const COUNT_UP_TO = 250_000
/** From "nudged and sent at once" over "the next poll" to "SQS was away". */
const DELAY_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800, 7200,
]

/** The outbox's own metrics. Give `record` to the relay as its `report` (or call it from there). */
export function createOutboxMetrics(
  registry: Registry,
  db: Database,
  schema?: string,
): { record(report: RelayReport): void } {
  const registers = [registry]
  const tables = outboxTables(db, schema)
  const published = new Counter({
    name: 'outbox_events_published_total',
    help: 'Events that the broker accepted',
    registers,
  })
  const failures = new Counter({
    name: 'outbox_publish_failures_total',
    help: 'Failures: refused (a try of one event), dead (one event, for good), outage (the broker as a whole, once however long)',
    labelNames: ['reason'],
    registers,
  })
  for (const reason of ['refused', 'dead', 'outage']) failures.inc({ reason }, 0)
  const delay = new Histogram({
    name: 'outbox_publish_delay_seconds',
    help: 'Seconds from the append of an event to its acceptance by the broker',
    buckets: DELAY_BUCKETS_SECONDS,
    registers,
  })
  const lanes = new Gauge({ name: 'outbox_lanes_owned', help: 'Lanes that this relay owns', registers })
  const prunedAt = new Gauge({
    name: 'outbox_retention_last_success_timestamp_seconds',
    help: 'When the last pass over the events past their retention succeeded (Unix time); 0 before the first. One relay of many makes them',
    registers,
  })
  // By the table, not by adding up who owns what: relays may run that nobody scrapes.
  const free = new Gauge({
    name: 'outbox_lanes_without_relay',
    help: 'Lanes that no living relay owns: their events wait',
    registers: [],
    async collect() {
      this.set(await freeLanes())
    },
  })
  const freeLanes = sampled(() => lanesWithoutRelay(tables, LEASE_MS), NaN)

  const sample = sampled(() => backlog(tables, COUNT_UP_TO), UNKNOWN)
  const events = new Gauge({
    name: 'outbox_events',
    help: 'Events that are not processed, by status: pending, failed (a retry is due), dead (somebody has to act). Counted up to 250000',
    labelNames: ['status'],
    registers: [],
    async collect() {
      const now = await sample()
      for (const status of ['pending', 'failed', 'dead'] as const) this.set({ status }, now[status])
    },
  })
  const oldest = new Gauge({
    name: 'outbox_oldest_pending_seconds',
    help: 'Age of the oldest event that is pending or failed, in seconds; 0 when there is none',
    registers: [],
    async collect() {
      this.set((await sample()).oldestSeconds)
    },
  })
  for (const sampledGauge of [free, events, oldest]) registry.registerMetric(sampledGauge)

  return {
    record(report) {
      switch (report.kind) {
        case 'published':
          published.inc(report.events.length)
          for (const event of report.events) delay.observe(Math.max(0, report.at - event.createdAt.getTime()) / 1000)
          break
        case 'failed':
          failures.inc({ reason: 'refused' })
          break
        case 'dead':
          failures.inc({ reason: 'dead' })
          break
        case 'broker-away':
          failures.inc({ reason: 'outage' })
          break
        case 'pruned':
          prunedAt.set(report.at / 1000)
          break
        case 'lanes':
          lanes.set(report.owned)
          break
      }
    },
  }
}

export interface Backlog {
  pending: number
  failed: number
  dead: number
  oldestSeconds: number
}

const UNKNOWN: Backlog = { pending: NaN, failed: NaN, dead: NaN, oldestSeconds: NaN }

/**
 * Counts through the partial indexes, which hold the backlog only: what is processed costs nothing. Each
 * status is counted up to `upTo` events.
 */
export async function backlog({ db, schema }: Tables, upTo: number): Promise<Backlog> {
  const { rows } = await db.query<Omit<Backlog, 'oldestSeconds'> & { oldestMs: string }>(
    `SELECT (SELECT count(*)::int FROM (SELECT FROM ${schema}.events WHERE status = 'pending' LIMIT $1) AS counted) AS pending,
            (SELECT count(*)::int FROM (SELECT FROM ${schema}.events WHERE status = 'failed' LIMIT $1) AS counted) AS failed,
            (SELECT count(*)::int FROM (SELECT FROM ${schema}.events WHERE status = 'dead' LIMIT $1) AS counted) AS dead,
            coalesce(1000 * extract(epoch FROM clock_timestamp() - (
              SELECT min(oldest.created_at) FROM generate_series(0, $2::int - 1) AS lane CROSS JOIN LATERAL (
                (SELECT created_at FROM ${schema}.events WHERE status = 'pending' AND events.lane = lane.lane ORDER BY id LIMIT 1)
                UNION ALL
                (SELECT min(created_at) FROM ${schema}.events WHERE status = 'failed' AND events.lane = lane.lane)
              ) AS oldest)), 0)::bigint::text AS "oldestMs"`,
    [upTo, LANES],
  )
  const [{ oldestMs, ...counts } = { ...UNKNOWN, oldestMs: 'NaN' }] = rows
  return { ...counts, oldestSeconds: Number(oldestMs) / 1000 }
}
