import { freshDatabase } from '@product-events/local'
import { Registry } from '@prometheus-io/client'
import type pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readStatus } from './cli/status.ts'
import { outboxTables } from './database.ts'
import { findEvents, listEvents } from './find.ts'
import { append, createRelay, outboxMigrations, prune, redrive, type RelayReport } from './index.ts'
import { createOutboxMetrics } from './prometheus.ts'
import { connectForTest, newEvent, statuses, testBroker } from './testing/outbox.ts'

/** What an administrator, a pooler or another part of an application may set. */
const HOSTILE = {
  datestyle: `'German, DMY'`,
  timezone: `'Asia/Kathmandu'`,
  intervalstyle: `'sql_standard'`,
  extra_float_digits: '-15',
  bytea_output: `'escape'`,
  xmloption: `'document'`,
  search_path: `'nowhere'`,
  default_transaction_isolation: `'serializable'`,
  default_transaction_deferrable: 'on',
  transform_null_equals: 'on',
  array_nulls: 'off',
  quote_all_identifiers: 'on',
  lc_monetary: `'C'`,
  row_security: 'off',
  enable_indexscan: 'off',
  enable_nestloop: 'off',
}

let db: pg.Pool
let plain: pg.Pool
beforeAll(async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  plain = connectForTest(databaseUrl)
  const { rows } = await plain.query<{ name: string }>('SELECT current_database() AS name')
  for (const [setting, value] of Object.entries(HOSTILE))
    await plain.query(`ALTER DATABASE ${rows[0]!.name} SET ${setting} = ${value}`)
  await plain.query(`CREATE SCHEMA nowhere; CREATE TABLE nowhere.events (); CREATE TABLE nowhere.outbox_lanes ()`)
  db = connectForTest(databaseUrl)
})
afterAll(() => Promise.all([db.end(), plain.end()]))

test('the outbox relies on no setting of its session, and no observer touches the path', async () => {
  expect((await db.query('SHOW datestyle')).rows).toEqual([{ DateStyle: 'German, DMY' }])
  const registry = new Registry()
  const metrics = createOutboxMetrics(registry, db)
  let reports = 0
  const broker = testBroker(({ key }) => (key === 'bad' ? { kind: 'unacceptable', reason: 'no' } : undefined))
  // It throws at once or later: nothing of that may reach the relay.
  const observe = (report: RelayReport): unknown => {
    metrics.record(report)
    const error = new Error('the observer is broken')
    if (++reports % 2) throw error
    return Promise.reject(error)
  }
  const relay = createRelay({
    db,
    owner: 'test',
    send: broker.send,
    report: observe,
  })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  await append(db, [newEvent('a', 1), newEvent('a', 2), newEvent('bad', 3)])
  relay.nudge()
  await expect.poll(() => statuses(plain), { timeout: 50_000 }).toEqual({ processed: 2, dead: 1 })
  expect(broker.accepted.map(({ payload }) => payload)).toEqual(['1', '2'])
  for (const { createdAt } of broker.accepted) expect(Math.abs(Date.now() - createdAt.getTime())).toBeLessThan(60_000)
  const text = await registry.metrics()
  expect(text).toContain('outbox_publish_delay_seconds_count 2')
  expect(Number(/outbox_publish_delay_seconds_sum (\S+)/.exec(text)?.[1])).toBeLessThan(60)

  const tables = outboxTables(db)
  const [dead] = await listEvents(tables, { status: 'dead' }, '0', 10)
  expect(dead?.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(Math.abs(Date.now() - Date.parse(dead!.created_at))).toBeLessThan(60_000)
  expect(await findEvents(tables, [], [dead!.event_id])).toMatchObject([{ id: dead!.id, headers: {}, payload: 3 }])
  expect((await readStatus(tables)).relays[0]?.lease_seconds).toBeGreaterThan(1)
  await redrive(tables, [dead!.id], { by: 'test', signal: stop.signal, onProgress: () => {} })
  relay.nudge()
  await expect.poll(() => statuses(plain), { timeout: 50_000 }).toEqual({ processed: 2, dead: 1 })
  await plain.query(
    `UPDATE public.events SET created_at = created_at - interval '5 h', processed_at = processed_at - interval '5 h'`,
  )
  expect(await prune(tables, 4)).toBe(2)
  stop.abort()
  await running
})
