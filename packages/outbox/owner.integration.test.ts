import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay, outboxMigrations, OutboxRefused } from './index.ts'
import { connectForTest, freshOutbox, newEvent, statuses, testBroker } from './testing/outbox.ts'

let db: pg.Pool
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
})
afterEach(() => db.end())

const abortSoon = () => AbortSignal.timeout(100)
const runAs = (owner: string, signal: AbortSignal) => createRelay({ db, owner, send: testBroker().send }).run(signal)

test('a relay of another owner refuses with one line that names both; relays of the first one run', async () => {
  await runAs('shop', abortSoon())
  await runAs('shop', abortSoon())
  const refused = runAs('billing', new AbortController().signal)
  await expect(refused).rejects.toBeInstanceOf(OutboxRefused)
  await expect(refused).rejects.toThrow(
    /^The outbox in schema "public" belongs to shop, so billing can't use it\.[^\n]*$/,
  )
})

test('of two owners that start at the same time exactly one is refused', async () => {
  const owners = Array.from({ length: 8 }, (_, n) => `owner-${n}`)
  const results = await Promise.allSettled(owners.map((owner) => runAs(owner, AbortSignal.timeout(2_000))))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect((await db.query('SELECT DISTINCT owner FROM outbox_lanes')).rows).toHaveLength(1)
})

test.each([
  ['are missing', 'DROP TABLE events CASCADE'],
  ['are of an older version', 'ALTER TABLE events DROP COLUMN failed_at'],
])('a relay whose tables %s stops and says to run the migrations', async (_what, change) => {
  await db.query(change)
  await expect(runAs('shop', new AbortController().signal)).rejects.toThrow(
    /^The outbox in schema "public" is missing or too old \([^\n]*\)\. Run the migrations\.$/,
  )
})

test('an upgrade in place loses nothing, and the previous version runs on beside the new one', async () => {
  await db.end()
  db = connectForTest(await freshDatabase(inject('postgresUrl')))
  await db.query(outboxMigrations.migrations[0]!.sql)
  await db.query(
    `INSERT INTO events (event_id, key, type, payload, headers)
     SELECT gen_random_uuid(), 'key-' || n, 't', '{}', CASE n WHEN 3 THEN '{"retries": 3}' ELSE '{}' END::jsonb
     FROM generate_series(1, 20) AS n`,
  )
  await db.query(`UPDATE events SET status = 'failed', attempts = 1, next_attempt_at = now() WHERE key = 'key-1'`)
  await db.query(outboxMigrations.migrations[1]!.sql)
  // The statements of the previous version, as it had them.
  await db.query(
    `INSERT INTO events (event_id, key, type, payload, headers)
     SELECT id, key, type, payload, coalesce(headers, '{}') FROM jsonb_to_recordset($1::text::jsonb)
       AS event (id uuid, key text, type text, payload jsonb, headers jsonb)`,
    [JSON.stringify([newEvent('key-2')])],
  )
  await db.query(
    `UPDATE events SET status = 'processed', processed_at = clock_timestamp(), next_attempt_at = NULL
     WHERE id = ANY ('{4,5}'::bigint[]) AND status <> 'processed'`,
  )
  await db.query(
    `UPDATE events SET status = 'failed', attempts = 1, last_error = 'no', next_attempt_at = clock_timestamp() WHERE id = 6`,
  )
  const broker = testBroker()
  await append(db, [newEvent('key-7')])
  const stop = new AbortController()
  const running = createRelay({ db, owner: 'shop', send: broker.send }).run(stop.signal)
  await expect.poll(() => statuses(db), { timeout: 50_000 }).toEqual({ processed: 21, dead: 1 })
  expect(broker.accepted).toHaveLength(19)
  stop.abort()
  await running
})
