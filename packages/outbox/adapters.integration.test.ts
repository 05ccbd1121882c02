import { transaction } from '@product-events/database'
import { drizzle as drizzleOf } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOfPostgresJs } from 'drizzle-orm/postgres-js'
import { freshDatabase } from '@product-events/local'
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { append, type NewEvent, outboxMigrations, type Transaction } from './index.ts'
import { drizzle, kysely, postgresJs } from './testing/readme.ts'
import { connectForTest } from './testing/outbox.ts'

let pool: pg.Pool
let sql: postgres.Sql
let rawSql: postgres.Sql
beforeAll(async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  pool = connectForTest(databaseUrl)
  sql = postgres(databaseUrl, { max: 2 })
  // Drizzle changes how a client of postgres.js reads and writes JSON: it wants one of its own.
  rawSql = postgres(databaseUrl, { max: 2 })
})
beforeEach(async () => {
  await pool.query('TRUNCATE events')
})
afterAll(() => Promise.all([pool.end(), sql.end(), rawSql.end()]))

type InTransaction = (work: (tx: Transaction) => Promise<void>) => Promise<unknown>
const kyselyDb = () => new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
const libraries: Record<string, InTransaction> = {
  pg: (work) => transaction(pool, work),
  'postgres.js': (work) => sql.begin((tx) => work(postgresJs(tx))),
  Kysely: (work) =>
    kyselyDb()
      .transaction()
      .execute((tx) => work(kysely(tx))),
  'Drizzle on pg': (work) => drizzleOf(pool).transaction((tx) => work(drizzle(tx))),
  'Drizzle on postgres.js': (work) => drizzleOfPostgresJs(rawSql).transaction((tx) => work(drizzle(tx))),
}

const events: NewEvent[] = [
  {
    id: '01a202ac-4eb7-784d-a155-84ebad6833ec',
    key: "it's $1 \\ 🫖",
    type: 'x',
    payload: { price: 12.5, text: '"$2" \\n ü', none: null, list: [1] },
    headers: { traceparent: '00-1' },
  },
  { id: '01a202ac-4eb7-784d-a155-84ebad6833ed', key: 'b', type: 'y', payload: 'just text' },
]

describe.each(Object.entries(libraries))('append in a transaction of %s', (_library, inTransaction) => {
  test('writes the events, whole, when it commits, and not before', async () => {
    await inTransaction(async (tx) => {
      await append(tx, events)
      expect((await pool.query('SELECT FROM events')).rowCount).toBe(0)
    })
    const { rows } = await pool.query(
      'SELECT event_id AS id, key, type, payload, headers FROM events ORDER BY events.id',
    )
    expect(rows).toEqual([events[0], { ...events[1], headers: {} }])
  })

  test('writes nothing when it rolls back', async () => {
    const failed = inTransaction(async (tx) => {
      await append(tx, events)
      throw new Error('changed my mind')
    })
    await expect(failed).rejects.toThrow('changed my mind')
    expect((await pool.query('SELECT FROM events')).rowCount).toBe(0)
  })
})
