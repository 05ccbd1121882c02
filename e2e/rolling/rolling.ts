import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { type Instances, startDeployment } from './deployment.ts'
import type { Release } from './release.ts'
import { countByPhase, type Delivery, type Phase } from './slow.ts'
import { startTraffic, type Traffic } from './traffic.ts'

/** Events that are not notified by then will not be. */
const DRAIN_MS = 60_000
const LOOK_EVERY_MS = 100
/** Changes before the first replacement and after the last, and how long they may take on a busy machine. */
const CALM_CHANGES = 30
const CALM_WITHIN_MS = 60_000

export interface RollingResult {
  calls: number
  failed: string[]
  changes: number
  events: number
  /** Events without a notification. */
  lost: number
  /** Lines `notification` in the log beyond one for each event: the table itself keeps no second one. */
  doubled: number
  /** From the change to its notification, in milliseconds. */
  delayMs: { p50: number; p99: number; max: number }
  /** Which deliveries were slow, and why. */
  phases: Phase[]
  errors: object[]
}

export interface RollingOptions {
  server: { postgresUrl: string; sqsEndpoint: string }
  /** The releases that run one after the other; undefined is this checkout. */
  releases: (Release | undefined)[]
  /** How many of each kind; those of `npm run test:rolling` unless given. */
  instances?: Instances
  say: (line: string) => void
}

/**
 * Replaces every process of a deployment in turn, release after release, under steady traffic, and counts what
 * suffered.
 */
export async function roll({ server, releases, instances, say }: RollingOptions): Promise<RollingResult> {
  const [first, ...next] = releases
  const deployment = await startDeployment(server, first, instances)
  try {
    const stop = new AbortController()
    const { products, notifications } = deployment.balancers
    const { traffic, ended } = startTraffic({ products: products.url, notifications: notifications.url }, stop.signal)
    await untilChanged(traffic)
    for (const release of next) {
      say(`replacing each process by ${release?.name ?? 'this version'}`)
      await deployment.replaceAll(release)
    }
    await untilChanged(traffic)
    stop.abort()
    await ended
    const { deliveries, ...outcome } = await settle(deployment.databases)
    const phases = countByPhase(deliveries, deployment.replacements)
    const notified = deployment.notified()
    const doubled = notified.length - new Set(notified).size
    return { ...traffic, ...outcome, doubled, phases, errors: deployment.errors() }
  } finally {
    await deployment.stop()
  }
}

async function untilChanged(traffic: Traffic): Promise<void> {
  const wanted = traffic.changes + CALM_CHANGES
  for (const end = performance.now() + CALM_WITHIN_MS; traffic.changes < wanted;) {
    if (performance.now() > end) throw new Error(`${traffic.changes} changes within ${CALM_WITHIN_MS / 1_000} s`)
    await sleep(LOOK_EVERY_MS)
  }
}

type Outcome = Pick<RollingResult, 'events' | 'lost' | 'delayMs'> & { deliveries: Delivery[] }

/** Waits until each event has its notification, or the time is over, and counts. */
async function settle({ products, notifications }: { products: pg.Pool; notifications: pg.Pool }): Promise<Outcome> {
  const end = performance.now() + DRAIN_MS
  for (;;) {
    const events = await products.query<{ event_id: string; written: number; accepted: number }>(
      `SELECT event_id, ${millisecondsOf('created_at')} AS written, ${millisecondsOf('processed_at')} AS accepted
       FROM public.events`,
    )
    const stored = await notifications.query<{ event_id: string; occurred: number; notified: number }>(
      `SELECT event_id, ${millisecondsOf('occurred_at')} AS occurred, ${millisecondsOf('received_at')} AS notified
       FROM public.notifications`,
    )
    const notifiedOf = new Map(stored.rows.map((row) => [row.event_id, row]))
    const deliveries = events.rows.flatMap((event) => {
      const notification = notifiedOf.get(event.event_id)
      return notification ? [{ ...event, ...notification }] : []
    })
    const lost = events.rows.length - deliveries.length
    if (lost > 0 && performance.now() < end) {
      await sleep(LOOK_EVERY_MS)
      continue
    }
    return { events: events.rows.length, lost, delayMs: delaysOf(deliveries), deliveries }
  }
}

function delaysOf(deliveries: readonly Delivery[]): RollingResult['delayMs'] {
  const delays = deliveries.map(({ occurred, notified }) => notified - occurred).toSorted((a, b) => a - b)
  const at = (share: number) =>
    Math.round(delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? NaN)
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

function millisecondsOf(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`
}
