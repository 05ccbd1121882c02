import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { type Database, outboxTables } from './database.ts'
import { append, createRelay } from './index.ts'
import { LANES, lanesWithoutRelay, register, takeFree } from './lanes.ts'
import { createClockWatch } from './lease-clock.ts'
import { createLease, type Lease, LEASE_MS } from './lease.ts'
import { freshOutbox, newEvent, statuses, testBroker } from './testing/outbox.ts'

const DEAD = '01997c1e-0000-7000-8000-000000000001'
const drained = () => true

let db: pg.Pool
let now: number
const clock = () => now
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
  now = 0
})
afterEach(() => db.end())

/** A relay that is gone, and a clock that was set back by an hour since: its lease ends in an hour. */
async function killedBeforeTheClockWasSetBack(): Promise<void> {
  const tables = outboxTables(db)
  await register(tables, DEAD, 'killed', LEASE_MS)
  await takeFree(tables, DEAD, LANES)
  await db.query(`UPDATE outbox_relays SET expires_at = expires_at + interval '1 hour'`)
}

test('lanes of a relay that died before the clock was set back are taken over after one lease length, and not before', async () => {
  await killedBeforeTheClockWasSetBack()
  const lease = createLease(outboxTables(db), 'heir', { now: clock })
  for (now = 0; now < LEASE_MS; now += 2_000) {
    await lease.balance(drained)
    expect(lease.owned(), `after ${now} ms`).toBe(0)
  }
  await lease.balance(drained)
  await lease.balance(drained)
  expect(lease.owned()).toBe(LANES)
})

test('a relay that lives keeps its lanes when the clock is set back: it corrects its lease at its next renewal', async () => {
  const [lease, other] = [
    createLease(outboxTables(db), 'first', { now: clock }),
    createLease(outboxTables(db), 'second', { now: clock }),
  ]
  await lease.balance(drained)
  await db.query(`UPDATE outbox_relays SET expires_at = expires_at + interval '1 hour'`)
  for (let step = 0; step < 8; step++) {
    await other.balance(() => false)
    now += 2_000
    await lease.balance(() => false)
    expect(lease.owned()).toBe(LANES)
  }
  expect(other.owned()).toBe(0)
})

test('lanes whose lease ends too late count as lanes without a relay', async () => {
  await killedBeforeTheClockWasSetBack()
  expect(await lanesWithoutRelay(outboxTables(db), LEASE_MS)).toBe(LANES)
})

test('a clock that is set ahead expires no lease of a relay that lives: others wait for one lease length', async () => {
  const watch = createClockWatch(clock)
  watch.seen(1_000_000, now)
  now = 2_000
  watch.seen(1_002_100, 1_990)
  expect(watch.hasJumpedAhead(LEASE_MS), 'two seconds later it is two seconds later').toBe(false)
  now = 9_000
  watch.seen(1_009_000, 2_100)
  expect(watch.hasJumpedAhead(LEASE_MS), 'an answer that took long is no jump').toBe(false)
  now = 11_000
  watch.seen(4_611_000, 10_990)
  expect(watch.hasJumpedAhead(LEASE_MS)).toBe(true)
  now += LEASE_MS
  expect(watch.hasJumpedAhead(LEASE_MS)).toBe(false)
  watch.seen(1_000_000, now)
  expect(watch.hasJumpedAhead(LEASE_MS), 'setting it back is no jump ahead').toBe(false)
})

test('no two relays send from one lane when the clock is set ahead while one of them is between two renewals', async () => {
  let clockOfServer = 'clock_timestamp()'
  const query: Database['query'] = (text, values) =>
    db.query(text.replaceAll('clock_timestamp()', clockOfServer), values)
  const relays = ['first', 'second'].map((name) => createLease(outboxTables({ query }), name, { now: clock }))
  const [first, second] = relays as [Lease, Lease]
  const lanes = Array.from({ length: LANES }, (_, lane) => lane)
  for (const relay of [first, second, first, second]) await relay.balance(drained)
  expect([first.owned(), second.owned()]).toEqual([LANES / 2, LANES / 2])

  clockOfServer = `(clock_timestamp() + interval '1 hour')`
  const sent = new Set<number>()
  for (now = 2_000; now < 3 * LEASE_MS; now += 2_000) {
    // The first one is frozen at first: what it may send it has from before.
    for (const relay of now < 6_000 ? [second] : [second, first]) await relay.balance(drained)
    for (const lane of lanes) {
      const senders = relays.filter((relay) => relay.maySend(lane))
      expect(senders.length, `lane ${lane} after ${now} ms`).toBeLessThanOrEqual(1)
      if (now > 2 * LEASE_MS && senders.length === 1) sent.add(lane)
    }
  }
  expect(sent.size, 'all lanes have a relay in the end').toBe(LANES)
})

test('an event that was refused before the clock was set back is retried soon, not when the clock is there again', async () => {
  await append(db, [newEvent('a'), newEvent('a'), newEvent('b')])
  let refuses = true
  const broker = testBroker(({ key }) => (refuses && key === 'a' ? { kind: 'refused', reason: 'no' } : undefined))
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  await relay.release()
  expect(await statuses(db)).toEqual({ failed: 1, pending: 1, processed: 1 })
  await db.query(
    `UPDATE events SET next_attempt_at = next_attempt_at + interval '55 minutes', failed_at = failed_at + interval '55 minutes'
     WHERE status = 'failed'`,
  )
  refuses = false
  const stop = new AbortController()
  const running = createRelay({ db, send: broker.send }).run(stop.signal)
  await expect.poll(() => statuses(db), { timeout: 50_000 }).toEqual({ processed: 3 })
  stop.abort()
  await running
})

test('an event that waits for its retry as it should is left alone', async () => {
  await append(db, [newEvent('a')])
  const broker = testBroker(() => ({ kind: 'postponed', reason: 'busy', delayMs: 3_000_000 }))
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  await relay.drainOnce()
  expect(broker.batches).toHaveLength(1)
  await relay.release()
})

test('a failed event without a due time, as a writer by SQL may leave it, is due', async () => {
  const broker = testBroker()
  await append(db, [newEvent('a')])
  await db.query(`UPDATE events SET status = 'failed', attempts = 3, next_attempt_at = NULL`)
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  expect(await statuses(db)).toEqual({ processed: 1 })
  await relay.release()
})
