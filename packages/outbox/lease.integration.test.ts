import type pg from 'pg'
import { afterAll, beforeEach, expect, inject, test } from 'vitest'
import { append } from './append.ts'
import { type Database, outboxTables } from './database.ts'
import { LANES, lanesWithoutRelay } from './lanes.ts'
import { createLease, LEASE_MS } from './lease.ts'
import { SEND_TIMEOUT_MS } from './send.ts'
import { freshOutbox, newEvent } from './testing/outbox.ts'

let db: pg.Pool
let now: number
beforeEach(async () => {
  await db?.end()
  db = await freshOutbox(inject('postgresUrl'))
  now = 0
})
afterAll(() => db.end())

const drained = () => true
const clock = () => now
const expire = () => db.query(`UPDATE outbox_relays SET expires_at = clock_timestamp() - interval '1 second'`)

test('the migration makes as many lanes as the code knows, and puts keys into all of them', async () => {
  // A thousand keys miss one lane of 64 once in 100,000 tries; these are always the same.
  await append(
    db,
    Array.from({ length: 1_000 }, (_, n) => newEvent(`key-${n}`)),
  )
  const { rows } = await db.query(
    `SELECT (SELECT array_agg(lane ORDER BY lane) FROM outbox_lanes) AS made,
            (SELECT array_agg(DISTINCT lane ORDER BY lane) FROM events) AS used`,
  )
  const all = Array.from({ length: LANES }, (_, lane) => lane)
  expect(rows).toEqual([{ made: all, used: all }])
})

test('a send starts only while it can end within the lease', async () => {
  const lease = createLease(outboxTables(db), 'test', { now: clock })
  expect(lease.maySend(0)).toBe(false)
  await lease.balance(drained)
  now = LEASE_MS - SEND_TIMEOUT_MS - 1
  expect([lease.maySend(0), lease.readable().length]).toEqual([true, LANES])
  now++
  expect([lease.maySend(0), lease.readable().length]).toEqual([false, 0])
})

test('the lease counts from before it was asked for, however long the database took to answer', async () => {
  const slow: Database['query'] = (text, values) => {
    if (/outbox_relays/.test(text) && /^(INSERT|UPDATE)/.test(text)) now += 3_000
    return db.query(text, values)
  }
  const lease = createLease(outboxTables({ query: slow }), 'test', { now: clock })
  for (const asked of [0, 4_000]) {
    now = asked
    await lease.balance(drained)
    now = asked + LEASE_MS - SEND_TIMEOUT_MS - 1
    expect(lease.maySend(0)).toBe(true)
    now++
    expect(lease.maySend(0)).toBe(false)
  }
})

test('a lease that has run out is not renewed: the relay starts anew, under another name in the table', async () => {
  const relays = async () => (await db.query<{ id: string }>('SELECT id FROM outbox_relays')).rows.map(({ id }) => id)
  const lease = createLease(outboxTables(db), 'test', { now: clock })
  await lease.balance(drained)
  const before = await relays()
  await lease.balance(drained)
  expect(await relays()).toEqual(before)
  await expire()
  await lease.balance(drained)
  expect(await relays()).toHaveLength(1)
  expect(await relays()).not.toEqual(before)
  expect(lease.owned()).toBe(LANES)
})

test('a relay whose lease has run out, and that could not get another, does not send', async () => {
  let away = false
  const query: Database['query'] = (text, values) =>
    away && text.startsWith('INSERT') ? Promise.reject(new Error('away')) : db.query(text, values)
  const lease = createLease(outboxTables({ query }), 'test', { now: clock })
  await lease.balance(drained)
  await expire()
  away = true
  await expect(lease.balance(drained)).rejects.toThrow('away')
  expect([lease.maySend(0), lease.owned(), lease.readable().length]).toEqual([false, 0, 0])
})

test('lanes above the fair share are not read any more, but kept until nothing of them is held', async () => {
  const [lease, other] = [
    createLease(outboxTables(db), 'first', { now: clock }),
    createLease(outboxTables(db), 'second', { now: clock }),
  ]
  await lease.balance(drained)
  await other.balance(drained)
  await lease.balance((lane) => lane >= 60)
  expect(lease.readable()).toHaveLength(32)
  expect(lease.owned(), '60 to 63 are given up').toBe(60)
  expect([lease.maySend(59), lease.maySend(60)]).toEqual([true, false])
  await other.balance(drained)
  expect(other.readable()).toEqual([60, 61, 62, 63])
})

test('lanes that are missing, as after a TRUNCATE by mistake, count as lanes without a relay, and a relay makes them again', async () => {
  await db.query('TRUNCATE outbox_relays, outbox_lanes')
  expect(await lanesWithoutRelay(outboxTables(db), LEASE_MS)).toBe(LANES)
  const lease = createLease(outboxTables(db), 'test', { now: clock })
  await lease.balance(drained)
  expect(lease.owned()).toBe(LANES)
  expect(await lanesWithoutRelay(outboxTables(db), LEASE_MS)).toBe(0)
})
