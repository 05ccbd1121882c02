import type pg from 'pg'
import { afterAll, beforeEach, expect, inject, test } from 'vitest'
import type { Database } from './database.ts'
import { createLease, LEASE_MS } from './lease.ts'
import { SEND_TIMEOUT_MS } from './send.ts'
import { freshOutbox } from './testing.ts'

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

test('a send starts only while it can end within the lease', async () => {
  const lease = createLease(db, 'test', clock)
  expect(lease.maySend(0)).toBe(false)
  await lease.balance(drained)
  now = LEASE_MS - SEND_TIMEOUT_MS - 1
  expect([lease.maySend(0), lease.readable().length]).toEqual([true, 64])
  now++
  expect([lease.maySend(0), lease.readable().length]).toEqual([false, 0])
})

test('the lease counts from before it was asked for, however long the database took to answer', async () => {
  const slow: Database['query'] = (text, values) => {
    if (/outbox_relays/.test(text) && /^(INSERT|UPDATE)/.test(text)) now += 3_000
    return db.query(text, values)
  }
  const lease = createLease({ query: slow }, 'test', clock)
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
  const lease = createLease(db, 'test', clock)
  await lease.balance(drained)
  const before = await relays()
  await lease.balance(drained)
  expect(await relays()).toEqual(before)
  await expire()
  await lease.balance(drained)
  expect(await relays()).toHaveLength(1)
  expect(await relays()).not.toEqual(before)
  expect(lease.owned()).toBe(64)
})

test('a relay whose lease has run out, and that could not get another, does not send', async () => {
  let away = false
  const query: Database['query'] = (text, values) =>
    away && text.startsWith('INSERT') ? Promise.reject(new Error('away')) : db.query(text, values)
  const lease = createLease({ query }, 'test', clock)
  await lease.balance(drained)
  await expire()
  away = true
  await expect(lease.balance(drained)).rejects.toThrow('away')
  expect([lease.maySend(0), lease.owned(), lease.readable().length]).toEqual([false, 0, 0])
})

test('lanes above the fair share are not read any more, but kept until nothing of them is held', async () => {
  const [lease, other] = [createLease(db, 'first', clock), createLease(db, 'second', clock)]
  await lease.balance(drained)
  await other.balance(drained)
  await lease.balance((lane) => lane >= 60)
  expect(lease.readable()).toHaveLength(32)
  expect(lease.owned(), '60 to 63 are given up').toBe(60)
  expect([lease.maySend(59), lease.maySend(60)]).toEqual([true, false])
  await other.balance(drained)
  expect(other.readable()).toEqual([60, 61, 62, 63])
})
