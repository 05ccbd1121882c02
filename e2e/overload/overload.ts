import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { LoadOptions, LoadResult } from './load.ts'

/** Connections with which the service is as fast as it gets. */
const CALM_CONNECTIONS = 64
/** Ten times as many, and each asks again at once when it is turned away. */
const FLOOD_CONNECTIONS = 640
/** How long the service may take to be itself again. */
const RECOVERY_SECONDS = 5

export interface OverloadOptions {
  port: number
  pool: pg.Pool
  /** Of the flood. */
  seconds: number
  /** Of the measurements before and after it. */
  calmSeconds: number
  memoryMb: () => Promise<number>
}

export interface Overload {
  before: Speed
  during: Speed & { answersPerSecond: number; counts: Record<string, number> }
  after: Speed
  /** The most that was seen during the flood. */
  peakMb: number
  accepted: number
  /** Products that were answered with 201 and are not in the database together with their event. */
  lost: number
}

export interface Speed {
  acceptedPerSecond: number
  p50Ms: number
  p99Ms: number
}

/** Measures a product-service before, during and after ten times the load that it can take. */
export async function overload({ port, pool, seconds, calmSeconds, memoryMb }: OverloadOptions): Promise<Overload> {
  const calm = { port, connections: CALM_CONNECTIONS, seconds: calmSeconds }
  // The first requests of a process are slow, and measure the compiler.
  const warm = await load(calm)
  const before = await load(calm)
  const flood = load({ port, connections: FLOOD_CONNECTIONS, seconds })
  const peakMb = await peakWhile(flood, memoryMb)
  const during = await flood
  await sleep((RECOVERY_SECONDS - 1) * 1000)
  const after = await load(calm)
  const ids = [warm, before, during, after].flatMap((result) => result.ids)
  return {
    before: speed(before, calmSeconds),
    during: {
      ...speed(during, seconds),
      answersPerSecond: Math.round(Object.values(during.counts).reduce((sum, count) => sum + count, 0) / seconds),
      counts: during.counts,
    },
    after: speed(after, calmSeconds),
    peakMb,
    accepted: ids.length,
    lost: ids.length - (await countKept(pool, ids)),
  }
}

async function load(options: LoadOptions): Promise<LoadResult> {
  const child = fork(`${import.meta.dirname}/load.ts`, [JSON.stringify(options)], { serialization: 'advanced' })
  const exit = once(child, 'exit')
  const answer = await Promise.race([once(child, 'message'), exit.then(() => undefined)])
  await exit
  if (!answer) throw new Error(`the load ended with ${child.exitCode}`)
  return answer[0] as LoadResult
}

async function peakWhile(work: Promise<unknown>, memoryMb: () => Promise<number>): Promise<number> {
  let peak = 0
  let done = false
  const finished = work.finally(() => (done = true))
  while (!done) {
    peak = Math.max(peak, await memoryMb())
    await Promise.race([finished, sleep(500)])
  }
  return peak
}

function speed({ accepted }: LoadResult, seconds: number): Speed {
  const at = (share: number) => Math.round(10 * (accepted[Math.floor(accepted.length * share)] ?? 0)) / 10
  return { acceptedPerSecond: Math.round(accepted.length / seconds), p50Ms: at(0.5), p99Ms: at(0.99) }
}

async function countKept(pool: pg.Pool, ids: string[]): Promise<number> {
  const { rows } = await pool.query<{ kept: number }>(
    `SELECT count(*)::int AS kept FROM unnest($1::uuid[]) AS answered (id)
     WHERE id IN (SELECT id FROM products)
       AND id::text IN (SELECT key FROM events WHERE type = 'product.created')`,
    [ids],
  )
  return rows[0]?.kept ?? 0
}
