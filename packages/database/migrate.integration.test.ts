import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { databaseOutage } from '@product-events/outages'
import { freshDatabase } from '@product-events/local'
import pg from 'pg'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { migrateDatabase, migrationsDue, type Migrations } from './index.ts'

let databaseUrl: string
let dir: string
let set: Migrations
let other: pg.Client
let opened: AsyncDisposableStack
beforeEach(async () => {
  opened = new AsyncDisposableStack()
  databaseUrl = await freshDatabase(inject('postgresUrl'))
  dir = await mkdtemp('/tmp/migrations-test-')
  opened.defer(() => rm(dir, { recursive: true }))
  set = { dir, table: 'test_migrations' }
  other = await session()
})
afterEach(() => opened.disposeAsync())

async function session(url = databaseUrl): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'a long report' })
  client.on('error', () => {})
  await client.connect()
  opened.defer(() => client.end())
  return client
}

const file = (name: string, sql: string) => writeFile(join(dir, `${name}.sql`), sql)
const patiently = { timeout: 25_000, interval: 50 }

test('what is due runs once, in order, and is told before', async () => {
  await file('0002_more', 'ALTER TABLE things ADD COLUMN name text')
  await file('0001_things', 'CREATE TABLE things (id int)')
  const options = { databaseUrl, sets: [set] }
  expect((await migrationsDue(options)).map(({ name }) => name)).toEqual(['0001_things', '0002_more'])
  expect(await migrateDatabase(options)).toEqual(['0001_things', '0002_more'])
  expect(await migrationsDue(options)).toEqual([])
  expect(await migrateDatabase(options)).toEqual([])
})

test('of several processes that start at once each migration is run by one', async () => {
  await file('0001_things', 'CREATE TABLE things (id int); INSERT INTO things VALUES (1)')
  const applied = await Promise.all([1, 2, 3].map(() => migrateDatabase({ databaseUrl, sets: [set] })))
  expect(applied.flat()).toEqual(['0001_things'])
  expect((await other.query('SELECT FROM things')).rowCount).toBe(1)
})

test('a file that fails leaves nothing behind, and those before it stay', async () => {
  await file('0001_things', 'CREATE TABLE things (id int)')
  await file('0002_broken', 'CREATE TABLE broken (id int); SELECT 1 / 0')
  await expect(migrateDatabase({ databaseUrl, sets: [set] })).rejects.toMatchObject({ code: '22012' })
  expect((await migrationsDue({ databaseUrl, sets: [set] })).map(({ name }) => name)).toEqual(['0002_broken'])
  await expect(other.query('SELECT FROM broken')).rejects.toMatchObject({ code: '42P01' })
})

test('a statement that PostgreSQL takes outside a transaction only runs there', async () => {
  await file('0001_things', 'CREATE TABLE things (id int)')
  await file('0002_index', '-- Outside a transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS things_id ON things (id)')
  expect(await migrateDatabase({ databaseUrl, sets: [set] })).toEqual(['0001_things', '0002_index'])
})

test('with nothing due a role that may only read needs no lock, while another session holds all of them', async () => {
  await file('0001_things', 'CREATE TABLE things (id int)')
  await migrateDatabase({ databaseUrl, sets: [set] })
  const role = `reader_${process.pid}_${Date.now()}`
  await other.query(`CREATE ROLE ${role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT SELECT ON public.test_migrations TO ${role}`)
  await other.query('BEGIN; SELECT pg_advisory_xact_lock(7241865325823964)')
  const url = databaseUrl.replace('postgres@', `${role}@`)
  expect(await migrateDatabase({ databaseUrl: url, sets: [set] })).toEqual([])
  await other.query('ROLLBACK')
})

test('a migration that waits for a reader lets others pass, names the reader, and runs when it is done', async () => {
  await file('0001_things', 'CREATE TABLE things (id int)')
  await migrateDatabase({ databaseUrl, sets: [set] })
  await file('0002_more', 'ALTER TABLE things ADD COLUMN name text')
  await other.query('BEGIN; SELECT FROM things')
  const reasons: string[] = []
  const migrated = migrateDatabase({
    databaseUrl,
    sets: [set],
    onWaiting: (what, reason) => reasons.push(`${what}: ${reason}`),
  })
  await vi.waitFor(() => expect(reasons.length).toBeGreaterThan(1), patiently)
  expect(reasons[0]).toMatch(
    /the migration 0002_more: held by a long report \(pid \d+, idle in transaction from 127\.0\.0\.1/,
  )
  // Requests that read the table meanwhile are answered: they wait for the migration no longer than its lock timeout.
  const reader = await session()
  for (let n = 0; n < 3; n++)
    await reader.query({ text: 'SELECT FROM things', query_timeout: 20_000 } as pg.QueryConfig)
  await other.query('COMMIT')
  expect(await migrated).toEqual(['0002_more'])
})

test('a waiting migration can be stopped', async () => {
  await file('0001_things', 'CREATE TABLE things (id int)')
  await other.query('BEGIN; SELECT pg_advisory_xact_lock(7241865325823964)')
  const stop = new AbortController()
  const migrated = migrateDatabase({ databaseUrl, sets: [set], onWaiting: () => stop.abort(), signal: stop.signal })
  await expect(migrated).rejects.toMatchObject({ name: 'AbortError' })
})

test('of two applications in one database the second refuses, and changes nothing', async () => {
  await file('0001_things', 'CREATE TABLE IF NOT EXISTS things (id int)')
  const theirs: Migrations = { dir, table: 'their_migrations' }
  const stranger = { name: 'the other', table: 'their_migrations', ownTable: 'test_migrations' }
  await migrateDatabase({ databaseUrl, sets: [theirs] })
  const second = migrateDatabase({ databaseUrl, sets: [set], stranger })
  await expect(second).rejects.toThrow(/^this database belongs to the other \(.*their_migrations\)/)
  await expect(other.query('SELECT FROM test_migrations')).rejects.toMatchObject({ code: '42P01' })
  // An upgrade finds both where they should never have been: the first one stays.
  await migrateDatabase({ databaseUrl, sets: [set] })
  await expect(migrateDatabase({ databaseUrl, sets: [set], stranger })).rejects.toThrow('belongs to the other')
  const first = { name: 'the second', table: 'test_migrations', ownTable: 'their_migrations' }
  expect(await migrateDatabase({ databaseUrl, sets: [theirs], stranger: first })).toEqual([])
})

test('a connection that breaks while it waits is an outage, so that a start waits for the database', async () => {
  await file('0001_things', 'CREATE TABLE things (id int)')
  await other.query('BEGIN; SELECT pg_advisory_xact_lock(7241865325823964)')
  const failure = migrateDatabase({ databaseUrl, sets: [set] }).then(
    () => undefined,
    (error: Error) => error,
  )
  const onlooker = await session()
  await vi.waitFor(async () => {
    const { rowCount } = await onlooker.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'migrate' AND wait_event_type = 'Lock'`,
    )
    expect(rowCount).toBe(1)
  }, patiently)
  expect(databaseOutage(await failure)).toBeDefined()
})
