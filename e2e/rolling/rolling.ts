import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { type Instances, startDeployment } from './deployment.ts'
import type { Release } from './release.ts'
import { startTraffic, type Traffic } from './traffic.ts'

/** What is not notified by then is not coming. */
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
    const outcome = await settle(deployment.databases)
    const notified = deployment.notified()
    const doubled = notified.length - new Set(notified).size
    return { ...traffic, ...outcome, doubled, errors: deployment.errors() }
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

type Outcome = Pick<RollingResult, 'events' | 'lost' | 'delayMs'>

/** Waits until each event has its notification, or the time is over, and counts. */
async function settle({ products, notifications }: { products: pg.Pool; notifications: pg.Pool }): Promise<Outcome> {
  const end = performance.now() + DRAIN_MS
  for (;;) {
    const events = await products.query<{ event_id: string }>('SELECT event_id FROM public.events')
    const stored = await notifications.query<{ event_id: string; delay_ms: number }>(
      `SELECT event_id, (extract(epoch FROM received_at - occurred_at) * 1000)::float8 AS delay_ms
       FROM public.notifications`,
    )
    const notified = new Set(stored.rows.map(({ event_id }) => event_id))
    const lost = events.rows.filter(({ event_id }) => !notified.has(event_id)).length
    if (lost > 0 && performance.now() < end) {
      await sleep(LOOK_EVERY_MS)
      continue
    }
    const delays = stored.rows.map(({ delay_ms }) => delay_ms).toSorted((a, b) => a - b)
    const at = (share: number) =>
      Math.round(delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] ?? NaN)
    return {
      events: events.rows.length,
      lost,
      delayMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    }
  }
}
