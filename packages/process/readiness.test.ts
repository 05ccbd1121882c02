import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { createRegistry } from '@product-events/telemetry'
import { startOperationsServer } from './operations-server.ts'
import { createReadiness } from './readiness.ts'

const stop = new AbortController()
const options = {
  awaited: ['migrations', 'queue', 'api'] as const,
  askDatabase: async () => undefined,
  stopping: stop.signal,
}
const readiness = (askDatabase: () => Promise<string | undefined>, stopping = stop.signal) =>
  createReadiness({ awaited: [...options.awaited], askDatabase, stopping })
const pgError = (code: string, message: string) => Object.assign(new Error(message), { code })

afterEach(() => void vi.useRealTimers())

test('each part is named until it is found, and then the process is ready', async () => {
  const it = readiness(options.askDatabase)
  expect(await it.missing()).toEqual({
    migrations: 'have not run yet',
    queue: 'not found yet',
    api: 'does not listen yet',
  })
  it.found('migrations', 'queue')
  expect(await it.missing()).toEqual({ api: 'does not listen yet' })
  it.found('api')
  expect(await it.missing()).toEqual({})
})

test.each([
  [pgError('ECONNREFUSED', ''), "can't be used: ECONNREFUSED"],
  [pgError('57P03', 'the database system is starting up'), "can't be used: the database system is starting up"],
])('a database that does not answer is named, with its reason (%s)', async (failure, reason) => {
  const it = readiness(() => Promise.reject(failure))
  it.found('migrations', 'queue', 'api')
  expect(await it.missing()).toEqual({ database: reason })
})

test('a database that says nothing is missing within a second', async () => {
  vi.useFakeTimers()
  const it = readiness(() => new Promise(() => {}))
  it.found('migrations', 'queue', 'api')
  const missing = it.missing()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await missing).toEqual({ database: "can't be used: no answer within 800 ms" })
})

test('a database without the tables lacks the migrations, at the start and later on', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const it = readiness(() => Promise.reject(pgError('42P01', 'relation "products" does not exist')))
  it.found('queue', 'api')
  expect(await it.missing()).toEqual({ migrations: 'have not run yet' })
  it.found('migrations')
  vi.advanceTimersByTime(1_001)
  expect(await it.missing()).toEqual({ migrations: 'are gone: relation "products" does not exist' })
})

test('told to stop, it is not ready, whatever else is there', async () => {
  const stopped = readiness(options.askDatabase, AbortSignal.abort())
  expect(await stopped.missing()).toEqual({ process: 'is shutting down' })
})

test('live is 200 for as long as the process answers; ready is 503 with the missing parts by name, or 200', async () => {
  const it = readiness(options.askDatabase)
  const server = await startOperationsServer({
    what: 'a test',
    host: '127.0.0.1',
    port: 0,
    registry: createRegistry(),
    readiness: it,
  })
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`)
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.json() }
  }
  const type = 'application/json'
  it.found('migrations', 'api')
  expect(await ask('/health/ready')).toEqual({
    status: 503,
    type,
    body: { status: 'not ready', missing: { queue: 'not found yet' } },
  })
  expect(await ask('/health/live')).toEqual({ status: 200, type, body: { status: 'live' } })
  it.found('queue')
  expect(await ask('/health/ready')).toEqual({ status: 200, type, body: { status: 'ready' } })
  expect(await ask('/health')).toMatchObject({ status: 404 })
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
})
