import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { startDeployment } from './deployment.ts'
import type { Release } from './release.ts'
import { makeTraffic } from './traffic.ts'

/** What is not notified by then is not coming. */
const DRAIN_MS = 60_000
const LOOK_EVERY_MS = 100
/** Traffic before the first replacement and after the last, to compare with. */
const CALM_MS = 1_000

export interface RollingResult {
  calls: number
  failed: string[]
  changes: number
  events: number
  /** Events without a notification. */
  lost: number
  /** Notifications beyond one for each event. */
  doubled: number
  /** From the change to its notification, in milliseconds. */
  delayMs: { p50: number; p99: number; max: number }
  errors: object[]
}

export interface RollingOptions {
  server: { postgresUrl: string; sqsEndpoint: string }
  /** The releases that run one after the other; undefined is this checkout. */
  releases: (Release | undefined)[]
  say: (line: string) => void
}

/** Replaces every process of a deployment in turn, release after release, under steady traffic, and counts what suffered. */
export async function roll({ server, releases, say }: RollingOptions): Promise<RollingResult> {
  const [first, ...next] = releases
  const deployment = await startDeployment(server, first)
  try {
    const stop = new AbortController()
    const { products, notifications } = deployment.balancers
    const traffic = makeTraffic({ products: products.url, notifications: notifications.url }, stop.signal)
    await sleep(CALM_MS)
    for (const release of next) {
      say(`replacing each process by ${release?.name ?? 'this version'}`)
      await deployment.replaceAll(release)
    }
    await sleep(CALM_MS)
    stop.abort()
    const { calls, failed, changes } = await traffic
    const outcome = await settle(deployment.databases)
    return { calls, failed, changes, ...outcome, errors: deployment.errors() }
  } finally {
    await deployment.stop()
  }
}

type Outcome = Pick<RollingResult, 'events' | 'lost' | 'doubled' | 'delayMs'>

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
      doubled: stored.rows.length - notified.size,
      delayMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
    }
  }
}
