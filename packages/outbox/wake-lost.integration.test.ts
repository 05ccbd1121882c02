import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, freshDatabase, startPostgres } from '@product-events/local'
import { migrate, transaction } from '@product-events/database'
import pg from 'pg'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { startTcpProxy } from '../../e2e/faults/tcp-proxy.ts'
import { createOutbox, outboxMigrations } from './index.ts'
import { connectForTest, newEvent, testBroker } from './testing/outbox.ts'
import { pgbouncer, startPgBouncer } from './testing/pgbouncer.ts'
import { type ForeignRelay, soon, startForeignRelay } from './testing/wake.ts'

/** Making a server takes seconds. */
vi.setConfig({ testTimeout: 120_000 })

const outbox = createOutbox({ schema: 'public' })
const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

function open(databaseUrl: string, relayUrl = databaseUrl, listenUrl = relayUrl) {
  const broker = testBroker()
  const relay = startForeignRelay(relayUrl, broker.send, { listenUrl })
  const pool = connectForTest(databaseUrl)
  opened.push(() => pool.end(), relay.close)
  return { broker, relay, pool }
}

/** How often the relay looked after its lease, every two seconds, while ten events left one after the other. */
async function renewalsForTenEvents({ broker, relay, pool }: ReturnType<typeof open>): Promise<number> {
  const before = relay.renewals()
  for (let n = 0; n < 10; n++) {
    const event = newEvent('a', n)
    await transaction(pool, (tx) => outbox.append(tx, [event]))
    outbox.wake(pool)
    await expect.poll(() => broker.accepted.at(-1)?.eventId, soon).toBe(event.id)
  }
  return relay.renewals() - before
}

const lost = ({ reports }: ForeignRelay) => reports.flatMap((one) => (one.kind === 'wake-ups-lost' ? [one.reason] : []))
/** Fewer than with a poll every two seconds, which would look once for each event. */
const FEW = 6

test('while the connection that listens is silent the relay polls often, as long as events come', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  const url = new URL(databaseUrl)
  const proxy = await startTcpProxy({ port: await freePort(), targetPort: Number(url.port) })
  opened.push(proxy.close)
  url.port = String(proxy.port)
  const stack = open(databaseUrl, databaseUrl, url.href)
  await stack.relay.rested()
  proxy.become({ kind: 'blackhole' })
  expect(await renewalsForTenEvents(stack)).toBeLessThan(FEW)
})

test.skipIf(pgbouncer === undefined)(
  'behind PgBouncer in transaction mode the relay finds out that no wake-up arrives, says so once, and polls often',
  async () => {
    const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
    const proxy = await startPgBouncer(databaseUrl, { ignore: [] })
    opened.push(proxy.stop)
    const stack = open(proxy.url)
    await expect.poll(() => lost(stack.relay), soon).toEqual([expect.stringMatching('did not arrive')])
    expect(await renewalsForTenEvents(stack)).toBeLessThan(FEW)
    expect(lost(stack.relay)).toHaveLength(1)
  },
)

test('a relay that may not notify itself says so once, and polls often', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  const admin = connectForTest(databaseUrl)
  const role = `relay_${Date.now()}`
  await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'relay'; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
                     REVOKE EXECUTE ON FUNCTION pg_notify FROM public`)
  opened.push(async () => {
    await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    await admin.end()
  })
  const relayUrl = Object.assign(new URL(databaseUrl), { username: role, password: 'relay' }).href
  const stack = open(databaseUrl, relayUrl)
  await expect.poll(() => lost(stack.relay), soon).toEqual([expect.stringMatching('permission denied')])
  expect(await renewalsForTenEvents({ ...stack, pool: connectAs(relayUrl) })).toBeLessThan(FEW)
})

function connectAs(url: string): pg.Pool {
  const pool = connectForTest(url)
  opened.push(() => pool.end())
  return pool
}

test('with a full queue of notifications events commit and leave, and wake-ups arrive again once there is room', async () => {
  const dir = await mkdtemp('/tmp/outbox-notify-')
  const port = await freePort()
  const settings = { max_notify_queue_pages: '64' }
  const server = await startPostgres({ dataDir: join(dir, 'data'), port, settings })
  opened.push(async () => {
    await server.stop()
    await rm(dir, { recursive: true })
  })
  const databaseUrl = `${server.url}/postgres`
  await migrate(databaseUrl, outboxMigrations)
  const sleeper = new pg.Client({ connectionString: databaseUrl })
  await sleeper.connect()
  await sleeper.query('LISTEN flood')
  // A transaction that stays open keeps its notifications, and all later ones, in the queue.
  await sleeper.query('BEGIN')
  await sleeper.query('SELECT 1')
  const writer = connectAs(databaseUrl)
  const flood = `SELECT pg_notify('flood', repeat('x', 7000) || n) FROM generate_series($1::int, $1::int + 9) AS n`
  for (let n = 0; ; n += 10) {
    const full = await writer.query(flood, [n]).then(
      () => false,
      (error: Error & { code?: string }) => error.code === '54000',
    )
    if (full) break
  }
  const stack = open(databaseUrl)
  await expect.poll(() => lost(stack.relay), soon).toEqual([expect.stringMatching('too many notifications')])
  expect(await renewalsForTenEvents(stack)).toBeLessThan(FEW)
  await sleeper.query('COMMIT')
  await sleeper.end()
  await expect.poll(() => stack.relay.reports.map(({ kind }) => kind), soon).toContain('wake-ups-back')
})
