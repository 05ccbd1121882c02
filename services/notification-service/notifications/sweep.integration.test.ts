import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { notificationMigrations } from '../migrations.ts'
import { testEvent } from '../testing/consumer.ts'
import { notificationOf } from './notification.ts'
import { storeNotifications } from './store.ts'
import { keepSweeping, KEPT_DAYS, sweep } from './sweep.ts'

let databaseUrl: string
let pool: pg.Pool
beforeEach(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'), notificationMigrations)
  pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 2, onIdleError: () => {} })
})
afterEach(async () => {
  await pool.end()
  await dropDatabase(databaseUrl)
})

/** Stores that many, received so many days and then so many minutes ago. */
async function store(count: number, ago: { days: number; minutes?: number }): Promise<string[]> {
  const notifications = Array.from({ length: count }, () => notificationOf(testEvent()))
  await storeNotifications(pool, notifications)
  const ids = notifications.map((notification) => notification.id)
  await pool.query(
    `UPDATE notifications SET received_at = now() - make_interval(days => $2, mins => $3) WHERE id = ANY($1::uuid[])`,
    [ids, ago.days, ago.minutes ?? 0],
  )
  return ids
}

async function left(): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM notifications ORDER BY position')
  return rows.map((row) => row.id)
}

test('what is older than the retention goes, and what is younger stays, to the minute', async () => {
  await store(3, { days: KEPT_DAYS, minutes: 1 })
  const young = await store(2, { days: KEPT_DAYS, minutes: -1 })
  expect(await sweep(pool)).toBe(3)
  expect(await left()).toEqual(young)
})

test('the retention is longer than SQS can keep a message, twice', () => {
  expect(KEPT_DAYS).toBeGreaterThan(2 * 14)
})

test.each([999, 1000, 1001, 2000])('%d old ones go in one pass, however many statements it takes', async (count) => {
  await store(count, { days: 40 })
  const young = await store(1, { days: 0 })
  expect(await sweep(pool)).toBe(count)
  expect(await left()).toEqual(young)
})

test('the newest stays, however old it is', async () => {
  const ids = await store(3, { days: 400 })
  expect(await sweep(pool)).toBe(2)
  expect(await left()).toEqual(ids.slice(-1))
  expect(await sweep(pool)).toBe(0)
})

test('two processes that sweep at once delete each row once', async () => {
  await store(2500, { days: 40 })
  await store(1, { days: 0 })
  const counts = await Promise.all([sweep(pool), sweep(pool)])
  const again = await sweep(pool)
  expect(counts.reduce((sum, count) => sum + count, again)).toBe(2500)
  expect(await left()).toHaveLength(1)
})

test('a sweep that fails is reported once, is retried, and notes its success', async () => {
  await store(2, { days: 40 })
  await store(1, { days: 0 })
  const reports: string[] = []
  const stop = new AbortController()
  const log = {
    swept: (count: number) => reports.push(`swept ${count}`),
    sweepFails: (reason: string) => reports.push(`fails: ${reason}`),
    sweepWorks: () => reports.push('works'),
  }
  let succeeded = 0
  let failures = 0
  const counted = Object.assign(Object.create(pool) as pg.Pool, {
    query: (sql: string, values: unknown[]) =>
      pool.query(sql, values).catch((error: Error) => {
        failures++
        throw error
      }),
  })
  await pool.query('ALTER TABLE notifications RENAME TO hidden')
  const over = keepSweeping(counted, {
    log,
    succeeded: () => succeeded++,
    stopping: stop.signal,
    retryMs: 10,
  })
  await expect.poll(() => failures, { timeout: 10_000 }).toBeGreaterThan(2)
  expect(succeeded).toBe(0)
  await pool.query('ALTER TABLE hidden RENAME TO notifications')
  await expect.poll(() => succeeded, { timeout: 10_000 }).toBe(1)
  stop.abort()
  await over
  expect(reports).toEqual([expect.stringMatching(/^fails: relation .* does not exist$/), 'works', 'swept 2'])
})
