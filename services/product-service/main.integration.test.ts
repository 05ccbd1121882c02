import { once } from 'node:events'
import { connect as connectSocket, createServer } from 'node:net'
import { migrate } from '@product-events/database'
import { claimOutbox, outboxMigrations, outboxTables } from '@product-events/outbox'
import pg from 'pg'
import { freePort, freshQueue } from '@product-events/local'
import { expect, inject, test, vi } from 'vitest'
import type { Page } from './testing/app.ts'
import { environment, ready, start } from './testing/process.ts'

/** A process starts within a second on a quiet machine. */
vi.setConfig({ testTimeout: 120_000 })

test('starts on an empty database, answers, tells its health and numbers, and ends with 0 on SIGTERM', async () => {
  const service = start(await environment())
  await ready(service)
  const created = await fetch(`${service.api}/products`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Tea', price: 1.5 }),
  })
  expect(created.status).toBe(201)
  const list = (await (await fetch(`${service.api}/products`)).json()) as Page
  expect(list.products.map((product) => product.name)).toEqual(['Tea'])
  expect(await (await fetch(`${service.operations}/health/live`)).json()).toEqual({ status: 'live' })
  const health = async () => (await fetch(`${service.operations}/health/ready`)).json()
  expect(await health()).toEqual({ status: 'ready' })
  const admin = new pg.Client({ connectionString: service.environment.DATABASE_URL })
  await admin.connect()
  await admin.query('ALTER TABLE products RENAME TO elsewhere')
  const migrations = 'are gone: relation "public.products" does not exist'
  const patiently = { timeout: 50_000 }
  await vi.waitFor(
    async () => expect(await health()).toEqual({ status: 'not ready', missing: { migrations } }),
    patiently,
  )
  await admin.query('ALTER TABLE elsewhere RENAME TO products')
  await admin.end()
  await vi.waitFor(async () => expect(await health()).toEqual({ status: 'ready' }), patiently)
  const metrics = await (await fetch(`${service.operations}/metrics`)).text()
  expect(metrics).toMatch(/^products_created_total 1$/m)
  expect(metrics).toMatch(/^products_deleted_total 0$/m)

  service.process.kill('SIGTERM')
  expect(await service.exit).toBe(0)
  expect(service.stderr()).toBe('')
  expect(service.stdout()).not.toContain(service.environment.AWS_SECRET_ACCESS_KEY + '@')
})

test('a request that is under way when SIGTERM comes is answered, and readiness is off meanwhile', async () => {
  const service = start(await environment())
  await ready(service)
  const body = JSON.stringify({ name: 'Tea', price: 1 })
  const socket = connectSocket(Number(service.environment.HTTP_PORT), '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.write(
    `POST /products HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n`,
  )
  socket.write(`Content-Length: ${body.length}\r\n\r\n`)
  await expect.poll(() => answer).toContain('100 Continue') // the service has it in hand

  service.process.kill('SIGTERM')
  const readiness = async () => {
    const health = await fetch(`${service.operations}/health/ready`)
    return { code: health.status, ...((await health.json()) as object) }
  }
  const shuttingDown = { code: 503, status: 'not ready', missing: { process: 'is shutting down' } }
  await expect.poll(readiness).toEqual(shuttingDown)
  socket.write(body)
  await once(socket, 'close')
  expect(answer).toContain('HTTP/1.1 201 Created')
  expect(await service.exit).toBe(0)
})

test('a port in use is told by name and number, with the variable that changes it', async () => {
  const env = await environment()
  for (const [variable, what] of [
    ['HTTP_PORT', 'the API of product-service'],
    ['METRICS_PORT', 'metrics and health of product-service'],
  ] as const) {
    const other = createServer().listen(Number(env[variable]), '127.0.0.1')
    await once(other, 'listening')
    const service = start(env)
    expect(await service.exit).toBe(1)
    expect(service.stderr()).toBe(
      `port ${env[variable]} (${what}) is in use by another program; ${variable} changes it\n`,
    )
    other.close()
  }
})

test('a missing or malformed variable is one line on stderr, and no secret', async () => {
  const service = start({ ...(await environment()), DATABASE_URL: 'mysql://me:hunter2@db', AWS_REGION: '' })
  expect(await service.exit).toBe(1)
  expect(service.stderr()).toBe(
    'configuration: DATABASE_URL must be a URL like postgres://user:password@host:5432/products; ' +
      'AWS_REGION is not set: it must be an AWS region such as eu-central-1\n',
  )
})

test('on an address that other machines can reach it does not start unless it is told who may call', async () => {
  const env = { ...(await environment()), HOST: '0.0.0.0' }
  const service = start(env)
  expect(await service.exit).toBe(1)
  expect(service.stderr()).toMatch(/^configuration: HOST=0\.0\.0\.0 [^\n]*AUTH_JWKS_URL[^\n]*AUTH=off[^\n]*\n$/)
  const open = start({ ...env, AUTH: 'off' })
  await ready(open)
  expect((await fetch(`${open.api}/products`)).status).toBe(200)
})

test('with a token issuer the API asks for tokens, and health does not', async () => {
  const issuer = {
    AUTH_JWKS_URL: 'http://127.0.0.1:1/keys',
    AUTH_ISSUER: 'https://id.example',
    AUTH_AUDIENCE: 'products',
  }
  const service = start({ ...(await environment()), ...issuer })
  await ready(service)
  const answer = await fetch(`${service.api}/products`)
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  expect((await fetch(`${service.operations}/health/ready`)).status).toBe(200)
  expect((await fetch(`${service.api}/openapi.json`)).status).toBe(200)
})

test('waits for a database that is not there yet, says so, and can be stopped meanwhile', async () => {
  const env = await environment()
  const nobody = await freePort()
  const service = start({ ...env, DATABASE_URL: `postgres://me:hunter2@127.0.0.1:${nobody}` })
  await vi.waitFor(() => expect(service.stdout()).toContain('waiting for PostgreSQL'), { timeout: 60_000 })
  const health = await fetch(`${service.operations}/health/ready`)
  expect(health.status).toBe(503)
  expect(Object.keys(((await health.json()) as { missing: object }).missing)).toEqual([
    'database',
    'migrations',
    'queue',
    'api',
  ])
  service.process.kill('SIGTERM')
  expect(await service.exit).toBe(0)
  expect(service.stdout()).toContain(`PostgreSQL at postgres://127.0.0.1:${nobody}/products`)
  expect(service.stdout() + service.stderr()).not.toContain('hunter2')
})

test('waits for an SQS that is not there yet', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const service = start({ ...(await environment()), AWS_ENDPOINT_URL_SQS: endpoint })
  await vi.waitFor(() => expect(service.stdout()).toMatch(/waiting for the queue queue-.* at http/), {
    timeout: 60_000,
  })
  const health = await fetch(`${service.operations}/health/ready`)
  expect(await health.json()).toEqual({
    status: 'not ready',
    missing: { queue: 'not found yet', api: 'does not listen yet' },
  })
  service.process.kill('SIGTERM')
  expect(await service.exit).toBe(0)
})

test('a database that refuses us is one line at once, since waiting does not help', async () => {
  const env = await environment()
  const DATABASE_URL = env.DATABASE_URL?.replace('postgres@', 'nobody:hunter2@') ?? ''
  const service = start({ ...env, DATABASE_URL })
  expect(await service.exit).toBe(1)
  expect(service.stderr()).toMatch(/^PostgreSQL at postgres:.* can't be used: role "nobody" does not exist\n$/)
})

test('an outbox that belongs to another application is refused with one line', async () => {
  const env = await environment()
  const db = new pg.Pool({ connectionString: env.DATABASE_URL })
  await migrate(env.DATABASE_URL!, outboxMigrations)
  await claimOutbox(outboxTables(db), 'notification-service')
  const service = start(env)
  expect(await service.exit).toBe(1)
  expect(service.stderr()).toMatch(
    /^[^\n]* belongs to notification-service, so product-service can't use it\.[^\n]*\n$/,
  )
  await db.end()
})

test('uses the queue that SQS_QUEUE_URL names', async () => {
  const { sqs, queue } = await freshQueue(inject('sqsEndpoint'))
  sqs.destroy()
  const service = start({ ...(await environment()), SQS_QUEUE_URL: queue.url })
  await ready(service)
  expect(service.stdout()).toContain(queue.url)
  service.process.kill('SIGINT')
  expect(await service.exit).toBe(0)
})
