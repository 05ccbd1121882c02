import { randomUUID } from 'node:crypto'
import { freshDatabase } from '@product-events/local'
import pg from 'pg'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { pgbouncer, startPgBouncer } from '../packages/outbox/testing/pgbouncer.ts'
import { allNotifications, createProduct } from './api.ts'
import { createService, type Service } from './stack.ts'

// Databases that are not as a developer's: each setting hostile, a strict pooler, a restore, a lock, a read-only
// server.

vi.setConfig({ testTimeout: 300_000 })
const patiently = { timeout: 90_000, interval: 100 }

/** Settings that a database or role may have, and that would change what a statement reads, writes or means. */
const HOSTILE = {
  datestyle: 'German',
  intervalstyle: 'sql_standard',
  timezone: 'Pacific/Chatham',
  extra_float_digits: '-15',
  bytea_output: 'escape',
  search_path: 'nowhere',
  standard_conforming_strings: 'off',
  backslash_quote: 'off',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  row_security: 'off',
  lc_messages: 'C',
  client_encoding: 'LATIN1',
  array_nulls: 'off',
  transform_null_equals: 'on',
  plan_cache_mode: 'force_generic_plan',
}

let opened = new AsyncDisposableStack()
afterEach(async () => {
  await opened.disposeAsync()
  opened = new AsyncDisposableStack()
})

async function session(databaseUrl: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: databaseUrl })
  client.on('error', () => {})
  await client.connect()
  opened.defer(() => client.end())
  return client
}

async function newService(
  name: 'product-service' | 'notification-service',
  databaseUrl?: string,
  queue = randomUUID(),
) {
  const options = { postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') }
  const service = await createService(name, queue, { ...options, ...(databaseUrl && { databaseUrl }) })
  opened.defer(() => service.stop())
  return service
}

const change = (products: Service, id: string, method: string, body?: object) =>
  fetch(`${products.url}/products/${id}`, {
    method,
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
const health = async ({ metricsUrl }: Service) => (await fetch(`${metricsUrl}/health/ready`)).json()
const lines = ({ log }: Service, msg: string) => log.filter((line) => String(line.msg).includes(msg))
const errors = ({ log }: Service) => log.filter(({ level }) => ['error', 'fatal'].includes(String(level)))

/** A product of its own name is created, changed and deleted, and each change is notified once. */
async function wholePath(products: Service, notifications: Service): Promise<void> {
  const { id } = await createProduct(products.url, `Tea '\\ "🙂 é`)
  expect(await (await change(products, id, 'PATCH', { price: 0.07 })).json()).toMatchObject({ price: 0.07, version: 2 })
  const read = (await (await fetch(`${products.url}/products/${id}`)).json()) as Record<string, string>
  expect(read).toMatchObject({ name: `Tea '\\ "🙂 é`, price: 0.07 })
  expect(Math.abs(Date.parse(read.created_at!) - Date.now())).toBeLessThan(300_000)
  expect((await change(products, id, 'DELETE')).status).toBe(204)
  await vi.waitFor(async () => {
    const all = await allNotifications(notifications.url, id)
    expect(all.map(({ event_type }) => event_type).toSorted()).toEqual([
      'product.created',
      'product.deleted',
      'product.updated',
    ])
  }, patiently)
}

test('every session setting hostile: the whole path works, and restarts, without an error in any log', async () => {
  const queue = randomUUID()
  const [products, notifications] = await Promise.all([
    newService('product-service', undefined, queue),
    newService('notification-service', undefined, queue),
  ])
  for (const { databaseUrl } of [products, notifications]) {
    const admin = await session(databaseUrl)
    const name = new URL(databaseUrl).pathname.slice(1)
    for (const [setting, value] of Object.entries(HOSTILE))
      await admin.query(`ALTER DATABASE ${name} SET ${setting} = '${value}'`)
  }
  await Promise.all([products.start(), notifications.start()])
  await wholePath(products, notifications)
  await Promise.all([products.stop(), notifications.stop()])
  await Promise.all([products.start(), notifications.start()])
  await wholePath(products, notifications)
  expect([...errors(products), ...errors(notifications)]).toEqual([])
  expect(await products.metric('outbox_events')).toBe(0)
})

test.runIf(pgbouncer)('behind a PgBouncer in transaction mode that accepts no startup parameter', async () => {
  const queue = randomUUID()
  const through = async () => {
    const bouncer = await startPgBouncer(await freshDatabase(inject('postgresUrl')), { ignore: [] })
    opened.defer(() => bouncer.stop())
    return bouncer.url
  }
  const products = await newService('product-service', await through(), queue)
  const notifications = await newService('notification-service', await through(), queue)
  await Promise.all([products.start(), notifications.start()])
  await wholePath(products, notifications)
  expect([...errors(products), ...errors(notifications)]).toEqual([])
  await Promise.all([products.stop(), notifications.stop()])
})

test('a database that another service keeps its tables in is refused with one line', async () => {
  const products = await newService('product-service')
  await products.start()
  const second = await newService('notification-service', products.databaseUrl)
  await expect(second.start()).rejects.toThrow(/can't be used: this database belongs to product-service/)
  expect(lines(second, 'belongs to product-service')).toHaveLength(1)
})

test('a sequence behind its rows, a lock and a read-only server are 503, one line each, and over when they are over', async () => {
  const products = await newService('product-service')
  await products.start()
  const admin = await session(products.databaseUrl)
  const post = () =>
    fetch(`${products.url}/products`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"Tea","price":1}',
    })
  const untilCreated = () => vi.waitFor(async () => expect((await post()).status).toBe(201), patiently)
  for (let n = 0; n < 5; n++) await untilCreated()
  await admin.query(`SELECT setval(pg_get_serial_sequence('public.events', 'id'), 1)`)
  const collided = await post()
  expect([collided.status, collided.headers.get('retry-after')]).toEqual([503, '2'])
  const reason = () => String(lines(products, 'the database fails requests')[0]?.reason)
  await vi.waitFor(() => expect(reason()).toMatch(/a sequence is behind .*events_pkey/), patiently)
  await untilCreated()
  await vi.waitFor(() => expect(lines(products, 'the database works again')).toHaveLength(1), patiently)

  await admin.query('BEGIN')
  await admin.query('LOCK TABLE public.events')
  const started = performance.now()
  const answers = await Promise.all(Array.from({ length: 20 }, post))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503))
  // A request's bound is six seconds; a lock may last for minutes.
  expect(performance.now() - started).toBeLessThan(60_000)
  expect((await fetch(`${products.url}/products`)).status).toBe(200)
  await admin.query('COMMIT')
  await untilCreated()
  expect(lines(products, 'the database fails requests')).toHaveLength(2)
  await vi.waitFor(() => expect(lines(products, 'the database works again')).toHaveLength(2), patiently)

  const name = new URL(products.databaseUrl).pathname.slice(1)
  const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}' AND pid <> pg_backend_pid()`
  await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  await admin.query(others)
  await vi.waitFor(
    async () => expect(await health(products)).toMatchObject({ missing: { database: 'takes no writes' } }),
    patiently,
  )
  await vi.waitFor(async () => expect((await post()).status).toBe(503), patiently)
  expect((await fetch(`${products.url}/products`)).status).toBe(200)
  await admin.query(`ALTER DATABASE ${name} RESET default_transaction_read_only`)
  await admin.query(others)
  await untilCreated()
  await vi.waitFor(() => expect(lines(products, 'the database works again')).toHaveLength(3), patiently)
  expect(lines(products, 'the database fails requests')).toHaveLength(3)
  expect(lines(products, 'a bug')).toEqual([])
  const { rowCount } = await admin.query(
    'SELECT FROM public.products WHERE NOT EXISTS (SELECT FROM public.events WHERE key = products.id::text)',
  )
  expect(rowCount).toBe(0)
})
