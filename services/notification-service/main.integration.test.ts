import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import pg from 'pg'
import { freePort, type LocalSqs, startPostgres, startSqs } from '@product-events/local'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { readStream } from './notifications/testing/stream.ts'
import { type ServiceProcess, spawnService } from './testing/process.ts'
import { testConsumer, testEvent } from './testing/consumer.ts'

/** What a test opened, closed in reverse however it went. */
const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function setUp(options: { sqsEndpoint?: string; fifo?: boolean } = {}) {
  const sqsEndpoint = options.sqsEndpoint ?? inject('sqsEndpoint')
  const t = await testConsumer({ postgresUrl: inject('postgresUrl'), ...options, sqsEndpoint })
  opened.push(t.close)
  const variables = { DATABASE_URL: t.databaseUrl, SQS_QUEUE_NAME: t.queueName, AWS_ENDPOINT_URL_SQS: sqsEndpoint }
  return { t, variables }
}

async function start(variables: Record<string, string>): Promise<ServiceProcess> {
  const service = await spawnService(variables)
  opened.push(service.end)
  return service
}

const patiently = { timeout: 50_000 }
const manyEvents = (count: number) => Array.from({ length: count }, () => testEvent())
const eventIds = (rows: { event_id?: unknown }[]) => rows.map((row) => row.event_id)

/** Sends SIGTERM, and tells how long the process took to end with which code. */
async function terminate(service: ServiceProcess) {
  const from = performance.now()
  service.kill('SIGTERM')
  const [code] = await service.exit
  return { code, seconds: (performance.now() - from) / 1000 }
}

/** Stops a server, then all its processes: it starts no more of them. Resolves with what undoes that. */
async function freeze(server: number): Promise<() => Promise<void>> {
  process.kill(server, 'SIGSTOP')
  const stats = (await readdir('/proc'))
    .filter((name) => /^\d+$/.test(name))
    .map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
      return { pid: Number(name), parent: Number(stat.split(') ')[1]?.split(' ')[1]) }
    })
  const children = (await Promise.all(stats)).filter(({ parent }) => parent === server).map(({ pid }) => pid)
  for (const pid of children) process.kill(pid, 'SIGSTOP')
  return async () => [server, ...children].forEach((pid) => process.kill(pid, 'SIGCONT'))
}

test('without configuration it ends with 1 and one line that names what is missing', async () => {
  const service = await start({ AWS_REGION: '' })
  expect(await service.exit).toEqual([1, null])
  expect(service.stderr()).toMatch(/^configuration: DATABASE_URL [^\n]+AWS_REGION [^\n]+\n$/)
})

test('on an address that other machines can reach it does not start unless it is told who may call', async () => {
  const { variables } = await setUp()
  const service = await start({ ...variables, HOST: '0.0.0.0' })
  expect(await service.exit).toEqual([1, null])
  expect(service.stderr()).toMatch(/^configuration: HOST=0\.0\.0\.0 [^\n]*AUTH_JWKS_URL[^\n]*AUTH=off[^\n]*\n$/)
})

test('with a token issuer the API asks for tokens; without channels, deliveries of the past are still dealt with', async () => {
  const { t, variables } = await setUp()
  await t.pool.query(
    `INSERT INTO events (event_id, key, type, payload, headers)
     VALUES (gen_random_uuid(), 'webhook:old:1', 'product.created', '{}', '{"channel":"webhook","endpoint":"old"}')`,
  )
  const issuer = { AUTH_JWKS_URL: 'http://127.0.0.1:1/keys', AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'x' }
  const service = await start({ ...variables, ...issuer })
  await service.ready()
  expect((await fetch(`${service.http}/notifications`)).status).toBe(401)
  await vi.waitFor(() => expect(service.logged('deliveries for this endpoint are refused')).toHaveLength(1), patiently)
})

test('a port in use is told with the variable that changes it', async () => {
  const { variables } = await setUp()
  const first = await start(variables)
  await first.ready()
  const second = await start({ ...variables, HTTP_PORT: new URL(first.http).port })
  expect(await second.exit).toEqual([1, null])
  expect(second.stderr()).toMatch(/^port \d+ [^\n]+HTTP_PORT[^\n]+\n$/)
})

test('told to stop in the middle of a backlog, it exits with 0 within 10 s, and what it left is all there for the next', async () => {
  const { t, variables } = await setUp()
  const events = manyEvents(1000)
  await t.send(events)
  const first = await start(variables)
  await vi.waitFor(async () => expect((await t.notifications()).length).toBeGreaterThan(0), {
    ...patiently,
    interval: 5,
  })
  const { code, seconds } = await terminate(first)
  expect({ code, stderr: first.stderr() }).toEqual({ code: 0, stderr: '' })
  expect(seconds).toBeLessThan(10)

  const stored = await t.notifications()
  expect(stored.length).toBeLessThan(events.length)
  expect(await t.depth()).toEqual({ visible: events.length - stored.length, hidden: 0 })
  await start(variables)
  await vi.waitFor(async () => expect(await t.notifications()).toHaveLength(events.length), patiently)
  expect(new Set(eventIds(await t.notifications()))).toEqual(new Set(events.map((event) => event.id)))
})

test('told to stop while idle, it waits for its last polls, and a message that arrives then is not swallowed', async () => {
  const { t, variables } = await setUp()
  const service = await start(variables)
  await service.ready()
  const ended = terminate(service)
  await vi.waitFor(() => expect(service.logged('stopping')).toHaveLength(1), patiently)
  const event = testEvent()
  await t.send([event])
  const { code, seconds } = await ended
  expect(code).toBe(0)
  expect(seconds).toBeLessThan(10)
  // On a busy machine the last polls may be over before the message is there.
  const stored = eventIds(await t.notifications())
  expect([[], [event.id]]).toContainEqual(stored)
  expect(await t.depth()).toEqual({ visible: 1 - stored.length, hidden: 0 })
})

test.each([false, true])(
  'two instances on one queue (FIFO: %s) store each event once, though every event was sent twice',
  async (fifo) => {
    const { t, variables } = await setUp({ fifo })
    const events = manyEvents(100)
    const instances = [await start(variables), await start(variables)]
    await Promise.all(instances.map((instance) => instance.ready()))
    await Promise.all(events.map((event) => t.send([event, event], event.subject)))
    await vi.waitFor(async () => expect(await t.depth()).toEqual({ visible: 0, hidden: 0 }), patiently)

    const stored = await t.notifications()
    expect(stored).toHaveLength(events.length)
    const logged = instances.flatMap((instance) => instance.logged('notification').filter((line) => line.event_id))
    expect(logged.map((line) => line.notification_id).toSorted(byText)).toEqual(
      stored.map((row) => row.id).toSorted(byText),
    )
    const [newest] = stored.toReversed()
    const shown = await fetch(`${instances[0]?.http}/notifications/${String(newest?.id)}`)
    expect(await shown.json()).toMatchObject({ event_id: newest?.event_id })
  },
)

test('a database that goes away is told once and named by readiness; its messages wait, and are stored when it is back', async () => {
  const { t, variables } = await setUp()
  const service = await start(variables)
  await service.ready()
  const name = new URL(t.databaseUrl).pathname.slice(1)
  const admin = new pg.Client({ connectionString: `${inject('postgresUrl')}/postgres` })
  await admin.connect()
  opened.push(() => admin.end())
  await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`)
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
  const events = manyEvents(60)
  await t.send(events)

  await vi.waitFor(() => expect(service.logged('the database stores nothing')).toHaveLength(1), patiently)
  // An answer is shared for a second.
  await vi.waitFor(async () => expect(Object.keys(await service.missing())).toEqual(['database']), patiently)
  await admin.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`)
  await vi.waitFor(async () => expect(await t.notifications()).toHaveLength(events.length), patiently)
  await vi.waitFor(() => expect(service.logged('the database stores again')).not.toHaveLength(0), patiently)
  await service.ready()
})

test('SQS that goes away is told once, and receiving resumes by itself', async () => {
  const dataDir = await mkdtemp('/tmp/notification-service-test-')
  opened.push(() => rm(dataDir, { recursive: true, force: true }))
  const port = await freePort()
  let sqs: LocalSqs = await startSqs({ port, dataDir })
  opened.push(() => sqs.stop())
  const { t, variables } = await setUp({ sqsEndpoint: sqs.endpoint })
  const service = await start(variables)
  await service.ready()

  sqs.process.kill('SIGKILL')
  await vi.waitFor(() => expect(service.logged('SQS does not answer')).toHaveLength(1), patiently)
  // Stored notifications can still be read.
  await service.ready()
  sqs = await startSqs({ port, dataDir })
  await t.send([testEvent()])
  await vi.waitFor(async () => expect(await t.notifications()).toHaveLength(1), patiently)
  expect(service.logged('SQS does not answer')).toHaveLength(1)
  // The line may still be on its way through the pipe.
  await vi.waitFor(() => expect(service.logged('SQS answers again')).toHaveLength(1), patiently)
})

test('told to stop while PostgreSQL is frozen, with messages and a stream in hand, it exits with 0 within 10 s', async () => {
  const dir = await mkdtemp('/tmp/notification-service-test-')
  opened.push(() => rm(dir, { recursive: true, force: true }))
  const postgres = await startPostgres({ dataDir: `${dir}/postgres`, port: await freePort() })
  const { t, variables } = await setUp()
  const service = await start({ ...variables, DATABASE_URL: `${postgres.url}/postgres` })
  await service.ready()
  const stream = await readStream(service.http)
  opened.push(postgres.stop)
  opened.push(await freeze(postgres.process.pid ?? 0))
  await t.send(manyEvents(20))
  await vi.waitFor(async () => expect((await t.depth()).hidden).toBeGreaterThan(0), patiently)

  const { code, seconds } = await terminate(service)
  expect(code).toBe(0)
  expect(seconds).toBeLessThan(10)
  expect(await stream.over).toBe('ended')
  // Given back: they are there for the next a second later, not when their visibility timeout of 30 s is over.
  expect(await t.receivable()).toBe(20)
})

test('a reader of the stream goes on without a gap or a repeat when the service is restarted', async () => {
  const { t, variables } = await setUp()
  const first = await start(variables)
  await first.ready()
  const reader = await readStream(first.http)
  await vi.waitFor(() => expect(reader.retryMs()).toBe(2000), patiently)
  await t.send(manyEvents(20))
  await vi.waitFor(() => expect(reader.ids.length).toBeGreaterThan(0), patiently)
  expect((await terminate(first)).code).toBe(0)
  expect(await reader.over).toBe('ended')
  await t.send(manyEvents(20))

  const second = await start(variables)
  await second.ready()
  const again = await readStream(second.http, { lastEventId: reader.lastEventId() })
  await vi.waitFor(() => expect(reader.ids.length + again.ids.length).toBe(40), patiently)
  again.close()
  expect([...reader.ids, ...again.ids]).toEqual((await t.notifications()).map((row) => row.id))
})

test('it waits at start for a database that is not there yet, says so, and can be stopped meanwhile', async () => {
  const { t, variables } = await setUp()
  const password = randomBytes(8).toString('hex')
  const DATABASE_URL = `postgres://someone:${password}@127.0.0.1:${await freePort()}`
  const service = await start({ ...variables, DATABASE_URL })
  await vi.waitFor(() => expect(service.logged('waiting for PostgreSQL')).toHaveLength(1), patiently)
  expect(Object.keys(await service.missing())).toEqual(['database', 'migrations', 'queue', 'api'])
  expect((await terminate(service)).code).toBe(0)
  expect(JSON.stringify(service.logged('')) + service.stderr()).not.toContain(password)
  expect(await t.notifications()).toEqual([])
})

function byText(one: unknown, other: unknown): number {
  return String(one).localeCompare(String(other))
}
