import { freshDatabase } from '@product-events/local'
import { Registry } from '@prometheus-io/client'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import type pg from 'pg'
import { append, outboxMigrations } from './index.ts'
import { createOutboxMetrics } from './prometheus.ts'
import { LANES, lanesWithoutRelay, register, takeFree } from './lanes.ts'
import { backlog } from './backlog.ts'
import { connectForTest, newEvent } from './testing/outbox.ts'
import { outboxTables } from './database.ts'

const RELAY = '01997c1e-0000-7000-8000-000000000001'

let db: pg.Pool
beforeAll(async () => {
  db = connectForTest(await freshDatabase(inject('postgresUrl'), outboxMigrations))
})
beforeEach(() => db.query('TRUNCATE events, outbox_relays CASCADE'))
beforeEach(() => db.query('INSERT INTO outbox_lanes (lane) SELECT generate_series(0, 63) ON CONFLICT DO NOTHING'))
afterAll(() => db.end())

test('a lane has no relay when it is free, and when the lease of its relay has run out', async () => {
  expect(await lanesWithoutRelay(outboxTables(db), 60_000)).toBe(LANES)
  await register(outboxTables(db), RELAY, 'test', 60_000)
  await takeFree(outboxTables(db), RELAY, 10)
  expect(await lanesWithoutRelay(outboxTables(db), 60_000)).toBe(LANES - 10)
  await db.query(`UPDATE outbox_relays SET expires_at = clock_timestamp() - interval '1 millisecond'`)
  expect(await lanesWithoutRelay(outboxTables(db), 60_000)).toBe(LANES)
})

test('a backlog is counted up to the number that was asked for, and its oldest event among all of it', async () => {
  await append(db, [newEvent('a', 1), newEvent('b', 1), newEvent('c', 1)])
  await db.query(`UPDATE events SET created_at = created_at - interval '1 hour' WHERE key = 'c'`)
  expect(await backlog(outboxTables(db), 2)).toMatchObject({ pending: 2, failed: 0, dead: 0 })
  expect(await backlog(outboxTables(db), 3)).toMatchObject({ pending: 3 })
  expect(await backlog(outboxTables(db), 4)).toMatchObject({ pending: 3 })
  expect((await backlog(outboxTables(db), 1)).oldestSeconds).toBeCloseTo(3600, -1)
})

test('gauges show the backlog by status; while the database is away they are unknown, and the counters are there', async () => {
  await append(db, [newEvent('a', 1), newEvent('b', 1), newEvent('c', 1)])
  await db.query(`UPDATE events SET status = 'dead' WHERE key = 'a'`)
  const lines = async (pool: pg.Pool) => {
    const registry = new Registry()
    createOutboxMetrics(registry, pool)
    return (await registry.metrics()).split('\n')
  }
  const there = await lines(db)
  expect(there).toContain('outbox_events{status="pending"} 2')
  expect(there).toContain('outbox_events{status="dead"} 1')
  expect(there).toContain(`outbox_lanes_without_relay ${LANES}`)
  const away = connectForTest('postgres://127.0.0.1:1/none')
  const unknown = await lines(away)
  await away.end()
  expect(unknown).toContain('outbox_events{status="pending"} Nan')
  expect(unknown).toContain('outbox_lanes_without_relay Nan')
  expect(unknown).toContain('outbox_events_published_total 0')
})
