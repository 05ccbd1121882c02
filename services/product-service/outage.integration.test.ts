import { chmod, mkdtemp, rm } from 'node:fs/promises'
import type { Product } from '@product-events/contracts'
import { freePort, freshDatabase, type LocalPostgres, startPostgres } from '@product-events/local'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { create, migrations, openTestApp, type TestApp } from './testing/app.ts'

let dir: string
let port: number
let postgres: LocalPostgres
let it: TestApp
let databaseUrl: string

const startServer = async () => (postgres = await startPostgres({ dataDir: `${dir}/postgres`, port }))
const post = () => it.app.inject({ method: 'POST', url: '/products', body: { name: 'Tea', price: 1 } })

beforeAll(async () => {
  dir = await mkdtemp('/tmp/product-service-outage-')
  await chmod(dir, 0o755) // the server may run as another user
  port = await freePort()
  await startServer()
})
beforeEach(async () => {
  databaseUrl = await freshDatabase(postgres.url, ...migrations)
  it = openTestApp(databaseUrl)
})
afterEach(() => it.close())
afterAll(async () => {
  await postgres.stop()
  await rm(dir, { recursive: true, force: true })
})

test('while PostgreSQL is away every call is 503 with Retry-After; after it everything works again', async () => {
  const { id } = await create(it.app, { name: 'Tea', price: 1 })
  await postgres.stop()

  const answers = [
    await post(),
    await it.app.inject('/products'),
    await it.app.inject(`/products/${id}`),
    await it.app.inject({ method: 'DELETE', url: `/products/${id}` }),
  ]
  for (const answer of answers) {
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBe('2')
    expect(answer.json()).toMatchObject({ status: 503, type: 'urn:problem-type:unavailable' })
    expect(answer.body).not.toMatch(/ECONN|terminat|127\.0\.0\.1/)
  }
  const lines = it.logs.filter((line) => line.level === 50)
  expect(lines).toHaveLength(4)
  expect(lines.every(({ msg }) => msg === 'request failed')).toBe(true)
  expect(lines.every(({ reason }) => /ECONNREFUSED|terminat|ended/.test(String(reason)))).toBe(true)

  await startServer()
  await vi.waitFor(async () => expect((await post()).statusCode).toBe(201), { timeout: 10_000 })
  expect((await it.app.inject(`/products/${id}`)).statusCode).toBe(200)
})

test('PostgreSQL restarts under load: every 201 is true, every other answer is 503, and no product is without its event', async () => {
  const done = new AbortController()
  const answers: { status: number; body: string }[] = []
  const clients = Array.from({ length: 40 }, async () => {
    while (!done.signal.aborted) {
      const answer = await post()
      answers.push({ status: answer.statusCode, body: answer.body })
    }
  })
  const created = () => answers.filter(({ status }) => status === 201)
  await vi.waitFor(() => expect(created().length).toBeGreaterThan(100), { timeout: 10_000 })
  postgres.kill() // "immediate": as after a crash, and with requests under way
  await postgres.stop()
  await startServer()
  const before = created().length
  await vi.waitFor(() => expect(created().length).toBeGreaterThan(before + 100), { timeout: 10_000 })
  done.abort()
  await Promise.all(clients)

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 503]))
  const { rows } = await it.pool.query<{ id: string; events: number }>(
    `SELECT id, (SELECT count(*)::int FROM events WHERE key = products.id::text) AS events FROM products`,
  )
  const written = new Map(rows.map(({ id, events }) => [id, events]))
  for (const { body } of created()) expect(written.get((JSON.parse(body) as Product).id)).toBe(1)
  expect(rows.every(({ events }) => events === 1)).toBe(true)
  const { rowCount } = await it.pool.query('SELECT FROM events')
  expect(rowCount).toBe(rows.length)
})

test('a read-only database is 503 for writes, with no half-written fact, and 200 for reads', async () => {
  const name = new URL(databaseUrl).pathname.slice(1)
  const { id } = await create(it.app, { name: 'Tea', price: 1 })
  await it.pool.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  await it.close()
  it = openTestApp(databaseUrl)

  const write = await post()
  expect(write.statusCode).toBe(503)
  expect(it.logs.find((line) => line.level === 50)?.reason).toContain('read-only')
  const erase = await it.app.inject({ method: 'DELETE', url: `/products/${id}` })
  expect(erase.statusCode).toBe(503)
  const read = await it.app.inject(`/products/${id}`)
  expect(read.statusCode).toBe(200)
  const { rowCount } = await it.pool.query('SELECT FROM events')
  expect(rowCount).toBe(1)
})
