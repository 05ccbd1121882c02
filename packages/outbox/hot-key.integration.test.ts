import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay, type OutboxEvent, type Send } from './index.ts'
import { freshOutbox, newEvent } from './testing/outbox.ts'

const BROKER_MS = 100
/**
 * The goal is twice the normal delay; an idle machine measures 1.07 times, and a busy one may not fail by it. Without
 * a bound for the hot key it is 18 times.
 */
const MANY_TIMES = 5
/** More than a relay holds in memory. */
const WAITING = 7_000

let db: pg.Pool
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
})
afterEach(() => db.end())

/** Milliseconds from the commit of each event of `keys`, one after the other, to its acceptance: the median. */
async function medianDelayMs(keys: string[]): Promise<number> {
  const acceptedAt = new Map<string, number>()
  const send: Send = async (events: readonly OutboxEvent[]) => {
    await sleep(BROKER_MS)
    for (const { eventId } of events) acceptedAt.set(eventId, performance.now())
    return { outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' as const }])) }
  }
  const relay = createRelay({ db, send })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  const delays: number[] = []
  try {
    // The first event finds the relay's lanes taken and what waits in memory.
    for (const key of ['warm-up', ...keys]) {
      const event = newEvent(key)
      await append(db, [event])
      const committedAt = performance.now()
      relay.nudge()
      await expect.poll(() => acceptedAt.get(event.id), { timeout: 50_000, interval: 5 }).toBeDefined()
      delays.push(acceptedAt.get(event.id)! - committedAt)
    }
  } finally {
    stop.abort()
    await running
  }
  return delays.slice(1).toSorted((a, b) => a - b)[keys.length >> 1]!
}

/** Keys of one lane, where a hot key stands in the way, and of others. */
async function keysAround(hot: string): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT key FROM (SELECT 'key-' || n AS key FROM generate_series(1, 1000) AS n) AS keys
     WHERE hashtextextended(key, 0) & 63 = hashtextextended($1, 0) & 63 LIMIT 8`,
    [hot],
  )
  return [...rows.map(({ key }) => key), ...Array.from({ length: 5 }, (_, n) => `other-${n}`)]
}

test.each([
  ['one hot key', 1, '{}'],
  ['forty hot keys', 40, '{}'],
  ['one hot key whose events are large', 1, JSON.stringify({ text: 'x'.repeat(4_000) })],
])(
  '%s with 7,000 events waiting: other keys leave about as soon as without it, its own in order',
  async (_what, hotKeys, payload) => {
    const keys = await keysAround('hot-0')
    const normal = await medianDelayMs(keys)
    await db.query(
      `INSERT INTO events (event_id, key, type, payload)
       SELECT gen_random_uuid(), 'hot-' || n % $1, 't', $2::jsonb FROM generate_series(1, $3) AS n`,
      [hotKeys, payload, WAITING],
    )
    const behind = await medianDelayMs(keys)
    expect(normal).toBeGreaterThanOrEqual(BROKER_MS)
    expect(behind).toBeLessThan(MANY_TIMES * normal)
    const { rows } = await db.query(
      `SELECT FROM events AS later JOIN events AS earlier USING (key)
       WHERE later.status = 'processed' AND earlier.status = 'pending' AND earlier.id < later.id LIMIT 1`,
    )
    expect(rows).toEqual([])
  },
  60_000,
)
