import { randomUUID } from 'node:crypto'
import { migrateDatabase } from '@product-events/database'
import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { createOutbox, type Outbox, outboxMigrations, OutboxRefused } from './index.ts'
import { alone, connectForTest, newEvent, testBroker } from './testing/outbox.ts'

const STEPS = outboxMigrations.migrations.map(({ name }) => name)
const patiently = { timeout: 50_000 }

let databaseUrl: string
let db: pg.Pool
let opened: AsyncDisposableStack
beforeEach(async () => {
  opened = new AsyncDisposableStack()
  databaseUrl = await freshDatabase(inject('postgresUrl'))
  db = connectForTest(databaseUrl)
  opened.defer(() => db.end())
})
afterEach(() => opened.disposeAsync())

/** A login of its own, which may connect and no more, and how to drop it. */
async function role(): Promise<{ name: string; pool: pg.Pool }> {
  const name = `role_${randomUUID().replaceAll('-', '')}`
  await db.query(`CREATE ROLE ${name} LOGIN`)
  const pool = connectForTest(databaseUrl.replace('postgres@', `${name}@`))
  opened.defer(async () => {
    await pool.end()
    await db.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`)
  })
  return { name, pool }
}

/** Relays all events of an outbox to a broker in memory, and resolves with their payloads. */
async function published(outbox: Outbox<Record<string, unknown>>, count: number, pool = db): Promise<string[]> {
  const broker = testBroker()
  const stop = new AbortController()
  const running = outbox.createRelay({ db: pool, owner: 'shop', send: broker.send }).run(stop.signal)
  await Promise.race([running, vi.waitFor(() => expect(broker.accepted).toHaveLength(count), patiently)])
  stop.abort()
  await running
  return broker.accepted.map(({ payload }) => payload).toSorted()
}

test('outboxes of several schemas do not meet, nor a foreign table "events", nor the search_path of a middleware', async () => {
  await db.query('CREATE TABLE public.events (id text); CREATE SCHEMA tenant; CREATE TABLE tenant.events (name text)')
  const outboxes = ['outbox', `Müller's "shop"`].map((schema) => createOutbox({ schema }))
  for (const outbox of outboxes) expect(await outbox.migrate(db)).toEqual(STEPS)
  const tx = await db.connect()
  await tx.query('BEGIN; SET LOCAL search_path = tenant')
  for (const [n, outbox] of outboxes.entries()) await outbox.append(tx, [newEvent('key', n)])
  await tx.query('COMMIT')
  tx.release()
  for (const [n, outbox] of outboxes.entries()) expect(await published(outbox, 1)).toEqual([String(n)])
})

test('a relay refuses the schema by its name while a foreign table has the place of ours', async () => {
  await db.query('CREATE SCHEMA shop; CREATE TABLE shop.events (id bigint, key text, failed_at timestamptz)')
  const refused = published(createOutbox({ schema: 'shop' }), 1)
  await expect(refused).rejects.toBeInstanceOf(OutboxRefused)
  await expect(refused).rejects.toThrow(/^The outbox in schema "shop" is missing or too old \([^\n]*\)/)
})

test('of processes that migrate at once each step is run by one, by client, pool or URL', async () => {
  const outbox = createOutbox()
  const applied = await Promise.all([databaseUrl, db, databaseUrl, db].map((target) => outbox.migrate(target)))
  expect(applied.flat().toSorted()).toEqual(STEPS)
  expect(await outbox.migrate(databaseUrl)).toEqual([])
})

test('with nothing due a role that may only read is enough, and with something due the server says what it lacks', async () => {
  const { name, pool } = await role()
  await db.query(`CREATE SCHEMA outbox; GRANT USAGE ON SCHEMA outbox TO ${name}`)
  const outbox = createOutbox()
  await expect(outbox.migrate(pool)).rejects.toMatchObject({
    code: '42501',
    message: 'Migration 0001_outbox of the outbox failed in schema "outbox": permission denied for schema outbox',
  })
  await outbox.migrate(db)
  await db.query(`GRANT SELECT ON outbox.outbox_migrations TO ${name}`)
  expect(await outbox.migrate(pool)).toEqual([])
})

test('a schema that is there needs no right on the database', async () => {
  const { name, pool } = await role()
  await db.query(`CREATE SCHEMA outbox AUTHORIZATION ${name}`)
  expect(await createOutbox().migrate(pool)).toEqual(STEPS)
})

test("a step that fails says the server's own error, in a caller's transaction as well, and leaves nothing", async () => {
  await db.query('CREATE SCHEMA outbox; CREATE TABLE outbox.events (id text)')
  const failure = {
    code: '42P07',
    message: 'Migration 0001_outbox of the outbox failed in schema "outbox": relation "events" already exists',
  }
  await expect(createOutbox().migrate(db)).rejects.toMatchObject(failure)
  const tx = await db.connect()
  await tx.query('BEGIN')
  await expect(createOutbox().migrate(tx)).rejects.toMatchObject(failure)
  await tx.query('ROLLBACK')
  tx.release()
  const { rows } = await db.query(`SELECT relname FROM pg_class WHERE relnamespace = 'outbox'::regnamespace`)
  expect(rows).toEqual([{ relname: 'events' }])
})

test('a step waits for a transaction that reads the table, and lets writers pass meanwhile', async () => {
  const [first] = outboxMigrations.migrations
  await migrateDatabase({ databaseUrl, sets: [{ ...outboxMigrations, migrations: [first!] }] })
  const outbox = createOutbox({ schema: 'public' })
  const reader = await db.connect()
  await reader.query('BEGIN; SELECT FROM public.events')
  const migrated = outbox.migrate(db)
  await expect.poll(async () => (await db.query(`SELECT FROM pg_locks WHERE NOT granted`)).rowCount, patiently).toBe(1)
  await outbox.append(alone(db), [newEvent('key', 1)])
  await reader.query('COMMIT')
  reader.release()
  expect(await migrated).toEqual(STEPS.slice(1))
  expect(await published(outbox, 1)).toEqual(['1'])
})

test('tables that the services made are up to date, and what is missing of them follows', async () => {
  await migrateDatabase({ databaseUrl, sets: [outboxMigrations] })
  expect(await createOutbox({ schema: 'public' }).migrate(db)).toEqual([])
  expect(await migrateDatabase({ databaseUrl, sets: [outboxMigrations] })).toEqual([])
  await expect(createOutbox().migrate(db)).resolves.toEqual(STEPS)
})

test('the SQL does what migrate does, from any step on, and its grants are what a writer and a relay need', async () => {
  const [writer, relay] = [await role(), await role()]
  const outbox = createOutbox({ schema: 'shop' })
  const [first = '', second = ''] = outbox.sql().split('-- 0002_owner_and_limits')
  await db.query(first)
  await expect(published(outbox, 1)).rejects.toBeInstanceOf(OutboxRefused)
  await db.query(outbox.sql({ from: 2, writer: writer.name, relay: relay.name }))
  expect(outbox.sql({ from: 2 })).toBe(`-- 0002_owner_and_limits${second}`)
  for (const { pool } of [writer, relay]) expect(await outbox.migrate(pool)).toEqual([])
  await outbox.append(alone(writer.pool), [newEvent('key', 1)])
  expect(await published(outbox, 1, relay.pool)).toEqual(['1'])
  await expect(writer.pool.query('SELECT FROM shop.events')).rejects.toMatchObject({ code: '42501' })
  await expect(outbox.append(alone(relay.pool), [newEvent('key', 1)])).rejects.toMatchObject({ code: '42501' })
  expect(() => outbox.sql({ from: 99 })).toThrow(RangeError)
})

test('the SQL makes an outbox of a table that is partitioned by hand as well', async () => {
  const outbox = createOutbox()
  const sql = outbox.sql()
  const end = sql.indexOf('\n);', sql.indexOf('CREATE TABLE "outbox".events'))
  const partitions = `) PARTITION BY RANGE (id);
    CREATE TABLE outbox.events_1 PARTITION OF outbox.events FOR VALUES FROM (MINVALUE) TO (3);
    CREATE TABLE outbox.events_rest PARTITION OF outbox.events DEFAULT;`
  await db.query(`${sql.slice(0, end)}\n${partitions}${sql.slice(end + '\n);'.length)}`)
  const { rows } = await db.query(
    `SELECT relname FROM pg_class WHERE relnamespace = 'outbox'::regnamespace AND reloptions::text LIKE '%10000%' ORDER BY 1`,
  )
  expect(rows).toEqual([{ relname: 'events_1' }, { relname: 'events_rest' }])
  await outbox.append(
    alone(db),
    [1, 2, 3, 4, 5].map((n) => newEvent('key', n)),
  )
  expect(await published(outbox, 5)).toEqual(['1', '2', '3', '4', '5'])
  expect(await outbox.prune(db, 0)).toBe(5)
})
