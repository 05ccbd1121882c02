import { drizzle as drizzleOf } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOfPostgresJs } from 'drizzle-orm/postgres-js'
import { sql as drizzleSql } from 'drizzle-orm'
import { transaction } from '@product-events/database'
import { freshDatabase } from '@product-events/local'
import { Kysely, PostgresDialect, sql as kyselySql } from 'kysely'
import type pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { drizzle, kysely, postgresJs, postgresJsPool } from './adapters.ts'
import { createOutbox, outboxMigrations } from './index.ts'
import { testAdapters } from './testing/adapter-suite.ts'
import { connectForTest, testBroker } from './testing/outbox.ts'

let pool: pg.Pool
let sql: postgres.Sql
let rawSql: postgres.Sql
beforeAll(async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  pool = connectForTest(databaseUrl)
  sql = postgres(databaseUrl, { max: 4 })
  // Drizzle changes how a client of postgres.js reads and writes JSON: it wants one of its own.
  rawSql = postgres(databaseUrl, { max: 2 })
})
afterAll(() => Promise.all([pool.end(), sql.end(), rawSql.end()]))

const kyselyDb = () => new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
const outbox = createOutbox({ schema: 'public' })

testAdapters(
  {
    pg: (work) => transaction(pool, work),
    'postgres.js': (work) => sql.begin((tx) => work(postgresJs(tx))),
    Kysely: (work) =>
      kyselyDb()
        .transaction()
        .execute((tx) => work(kysely(tx, kyselySql))),
    'Drizzle on pg': (work) => drizzleOf(pool).transaction((tx) => work(drizzle(tx, drizzleSql))),
    'Drizzle on postgres.js': (work) => drizzleOfPostgresJs(rawSql).transaction((tx) => work(drizzle(tx, drizzleSql))),
  },
  () => pool,
)

test('a handle that would write outside the transaction does not compile', () => {
  const mistakes = async () => {
    // @ts-expect-error a pool writes on a connection of its own
    await outbox.append(pool, [])
    // @ts-expect-error
    postgresJs(sql)
    // @ts-expect-error a relay must not hold a transaction open
    await sql.begin((tx) => postgresJsPool(tx))
    // @ts-expect-error
    kysely(kyselyDb(), kyselySql)
    await kyselyDb()
      .transaction()
      // @ts-expect-error the sql of another library
      .execute((tx) => kysely(tx, drizzleSql))
    // @ts-expect-error
    drizzle(drizzleOf(pool), drizzleSql)
    // @ts-expect-error
    drizzle(drizzleOfPostgresJs(rawSql), drizzleSql)
  }
  expect(mistakes).toBeTypeOf('function')
})

test('a relay, with failures, redriving and pruning, runs on a pool of postgres.js', async () => {
  const db = postgresJsPool(sql)
  const broker = testBroker(({ key, redriven }) =>
    key === 'bad' && redriven === 0 ? { kind: 'unacceptable', reason: 'never' } : undefined,
  )
  await sql.begin((tx) =>
    outbox.append(postgresJs(tx), [
      { key: 'a', type: 'x', payload: { n: 1 }, headers: { traceparent: '00-1' } },
      { key: 'bad', type: 'x', payload: 'text' },
    ]),
  )
  const relay = outbox.createRelay({ owner: 'test', db, send: broker.send, pollIntervalMs: 50 })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  const idsOf = async (status: string) =>
    (await pool.query<{ id: string }>('SELECT id FROM events WHERE status = $1', [status])).rows.map(({ id }) => id)
  const patiently = { timeout: 50_000, interval: 20 }
  await vi.waitFor(async () => expect(await idsOf('dead')).toHaveLength(1), patiently)
  const progress = { by: 'ann', signal: stop.signal, onProgress: () => {} }
  await outbox.redrive(db, await idsOf('dead'), progress)
  await vi.waitFor(async () => expect(await idsOf('processed')).toHaveLength(2), patiently)
  expect(broker.accepted.map(({ key, payload, headers, createdAt }) => [key, payload, headers, createdAt])).toEqual([
    ['a', '{"n": 1}', { traceparent: '00-1' }, expect.any(Date)],
    ['bad', '"text"', {}, expect.any(Date)],
  ])
  await outbox.resend(db, { since: new Date(0) }, progress)
  await vi.waitFor(() => expect(broker.accepted).toHaveLength(4), patiently)
  await vi.waitFor(async () => expect(await idsOf('processed')).toHaveLength(2), patiently)
  stop.abort()
  await running
  expect(await outbox.prune(db, 0)).toBe(2)
})
