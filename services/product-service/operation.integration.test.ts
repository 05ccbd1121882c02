import { connect, migrate } from '@product-events/database'
import { freePort } from '@product-events/local'
import { expect, inject, test, vi } from 'vitest'
import { freshDatabase } from '@product-events/local'
import { keepForgettingKeys } from './forget-keys.ts'
import { environment, ready, type Service, start } from './testing/process.ts'
import { migrations } from './testing/app.ts'

vi.setConfig({ testTimeout: 120_000 })
const patiently = { timeout: 60_000, interval: 100 }

const post = ({ api }: Service) =>
  fetch(`${api}/products`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Tea', price: 1 }),
  })
const started = async ({ operations }: Service) => (await fetch(`${operations}/health/started`)).status

test('with MIGRATE=off it waits, names what is due, and starts once that has run', async () => {
  const env: Record<string, string> = { ...(await environment()), MIGRATE: 'off' }
  const service = start(env)
  await vi.waitFor(() => expect(service.stdout()).toMatch(/waiting for PostgreSQL/), patiently)
  expect(service.stdout()).toMatch(
    /MIGRATE=off, and these migrations are due: 0001_outbox, .*0001_products.*npm run migrate/,
  )
  expect(await started(service)).toBe(503)
  await migrate(env.DATABASE_URL!, ...migrations)
  await ready(service)
  expect(await started(service)).toBe(200)
  expect((await post(service)).status).toBe(201)
})

test('with OUTBOX_RELAY=off it needs no queue, and a relay of its own process publishes what it writes', async () => {
  const env = await environment()
  const nowhere = { AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${await freePort()}` }
  const service = start({ ...env, ...nowhere, OUTBOX_RELAY: 'off' })
  await ready(service)
  expect((await post(service)).status).toBe(201)
  const pool = connect({
    databaseUrl: env.DATABASE_URL!,
    applicationName: 'test',
    maxConnections: 1,
    onIdleError: () => {},
  })
  const states = async () =>
    (await pool.query<{ status: string }>('SELECT status FROM public.events')).rows.map(({ status }) => status)
  expect(await states()).toEqual(['pending'])
  start({ ...env, METRICS_PORT: String(await freePort()) }, 'relay-main.ts')
  await vi.waitFor(async () => expect(await states()).toEqual(['processed']), patiently)
  await pool.end()
})

test('a password that the database refuses later on is 503 with a line of its own', async () => {
  const env = await environment()
  const service = start(env)
  await ready(service)
  const admin = connect({
    databaseUrl: env.DATABASE_URL!,
    applicationName: 'admin',
    maxConnections: 1,
    onIdleError: () => {},
  })
  // As a new connection finds it whose role lost its right to log in: class 28, as a wrong password.
  const role = `rotated_${process.pid}_${Date.now()}`
  await admin.query(`CREATE ROLE ${role} LOGIN SUPERUSER`)
  service.process.kill('SIGTERM')
  await service.exit
  const rotated = start({ ...env, DATABASE_URL: env.DATABASE_URL!.replace('postgres@', `${role}@`) })
  await ready(rotated)
  await admin.query(`ALTER ROLE ${role} NOLOGIN`)
  await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`)
  await vi.waitFor(async () => expect((await post(rotated)).status).toBe(503), patiently)
  await vi.waitFor(() => expect(rotated.stdout()).toContain('the database refuses user or password'), patiently)
  await admin.query(`ALTER ROLE ${role} LOGIN`)
  await vi.waitFor(async () => expect((await post(rotated)).status).toBe(201), patiently)
  await vi.waitFor(() => expect(rotated.stdout()).toContain('the database works again'), patiently)
  expect(rotated.stdout()).not.toContain('a bug')
  await admin.end()
})

test('keys that can not be forgotten are reported once, and each pass that succeeds is noted', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'), ...migrations)
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
  const lines: string[] = []
  const log = {
    forgettingFails: (reason: string) => void lines.push(reason),
    forgettingWorks: () => void lines.push('works'),
  }
  let successes = 0
  const pass = async (expectation: () => void) => {
    const stop = new AbortController()
    const running = keepForgettingKeys(pool, { log, succeeded: () => successes++, stopping: stop.signal })
    await vi.waitFor(expectation, patiently)
    stop.abort()
    await running
  }
  await pass(() => expect(successes).toBe(1))
  await pool.query('ALTER TABLE public.idempotency_keys RENAME TO elsewhere')
  await pass(() => expect(lines).toEqual(['relation "public.idempotency_keys" does not exist']))
  expect(successes).toBe(1)
  await pool.end()
})
