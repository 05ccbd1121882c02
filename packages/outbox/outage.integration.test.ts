import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { freePort, freshDatabase, type LocalPostgres, startPostgres } from '@product-events/local'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { watchEventLoop } from '../outages/testing/event-loop.ts'
import { append, createRelay, type Database, outboxMigrations, type RelayReport } from './index.ts'
import { connectForTest, newEvent, statuses, testBroker } from './testing/outbox.ts'

/** A hundred times what a quiet machine has; the fault that this guards against lasted for seconds. */
const LATE_MS = 1_000

let dir: string
let port: number
let server: LocalPostgres
const startServer = async () => (server = await startPostgres({ dataDir: `${dir}/postgres`, port }))
beforeAll(async () => {
  dir = await mkdtemp('/tmp/outbox-outage-')
  await chmod(dir, 0o755) // the server may run as another user
  port = await freePort()
  await startServer()
})
afterAll(async () => {
  await server.stop()
  await rm(dir, { recursive: true, force: true })
})

let db: pg.Pool
let running: Promise<void>
let stop: AbortController
let statements: number
const reports: RelayReport[] = []
const broker = testBroker()
const databaseLines = () => reports.map(({ kind }) => kind).filter((kind) => kind.startsWith('database'))

beforeEach(async () => {
  db = connectForTest(await freshDatabase(server.url, outboxMigrations))
  reports.length = broker.accepted.length = statements = 0
  const query: Database['query'] = (text, values) => {
    statements++
    return db.query(text, values)
  }
  stop = new AbortController()
  const relay = createRelay({ db: { query }, send: broker.send, report: (report) => reports.push(report) })
  running = relay.run(stop.signal)
  await vi.waitUntil(() => reports.some(({ kind }) => kind === 'lanes'), { timeout: 50_000 })
})
afterEach(async () => {
  stop.abort()
  await running
  await db.end()
})

test('while PostgreSQL is stopped the relay rests, the event loop turns, and each change of state is one line', async () => {
  const loop = watchEventLoop()
  await server.stop()
  await expect.poll(databaseLines, { timeout: 50_000 }).toEqual(['database-away'])
  // Longer than every pause between two looks: the outage outlasts all of them.
  const before = statements
  const seconds = 6
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  expect(statements - before, 'it asks seldom').toBeLessThan(seconds * 20)
  expect(databaseLines(), 'it is told once').toEqual(['database-away'])
  await startServer()
  await expect.poll(databaseLines, { timeout: 50_000 }).toEqual(['database-away', 'database-back'])
  await append(db, [newEvent('a')])
  await expect.poll(() => broker.accepted.length, { timeout: 50_000 }).toBe(1)
  expect(loop.maxDelayMs()).toBeLessThan(LATE_MS)
  loop.stop()
}, 90_000)

const REFUSE = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'permission denied for table events' USING ERRCODE = '42501'; END $$;
  CREATE TRIGGER refuse BEFORE UPDATE ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse()`
const READ_ONLY = 'SET default_transaction_read_only ='

test.each([
  ['a server that became read-only', (name: string) => `ALTER DATABASE ${name} ${READ_ONLY} on`, READ_ONLY],
  ['a right to update that was taken away', () => REFUSE, 'DROP TRIGGER'],
  ['a right to update that was taken away while nothing is to be sent', () => REFUSE, 'DROP TRIGGER'],
])(
  '%s is one line lost and one line back, however long it lasts',
  async (what, broken, mended) => {
    const name = (await db.query<{ name: string }>('SELECT current_database() AS name')).rows[0]!.name
    const loop = watchEventLoop()
    const admin = connectForTest(new URL(`/${name}`, server.url).href)
    // Sessions that were open before the change do not know of it.
    const change = (sql: string) =>
      admin.query(
        `BEGIN READ WRITE; ${sql}; COMMIT; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`,
      )
    await append(db, [newEvent('a')])
    if (what.includes('nothing')) await expect.poll(() => statuses(db), { timeout: 50_000 }).toEqual({ processed: 1 })
    await change(broken(name))
    await expect.poll(databaseLines, { timeout: 50_000 }).toEqual(['database-away'])
    const before = statements
    await expect.poll(() => statements - before, { timeout: 30_000 }).toBeGreaterThan(6)
    expect(databaseLines()).toEqual(['database-away'])
    await change(mended === READ_ONLY ? `ALTER DATABASE ${name} ${READ_ONLY} off` : 'DROP TRIGGER refuse ON events')
    await expect.poll(databaseLines, { timeout: 50_000 }).toEqual(['database-away', 'database-back'])
    expect(loop.maxDelayMs()).toBeLessThan(LATE_MS)
    loop.stop()
    await admin.end()
  },
  90_000,
)
