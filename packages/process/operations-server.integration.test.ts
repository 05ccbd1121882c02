import { once } from 'node:events'
import { Agent, createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createRegistry } from '@product-events/telemetry'
import { afterEach, expect, test, vi } from 'vitest'
import { boundConnections } from './connections.ts'
import { startOperationsServer } from './operations-server.ts'
import { createReadiness } from './readiness.ts'

let opened = new AsyncDisposableStack()
afterEach(async () => {
  await opened.disposeAsync()
  opened = new AsyncDisposableStack()
})

function closeLater(server: Server): number {
  opened.defer(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

async function start() {
  let asked = 0
  let atOnce = 0
  let mostAtOnce = 0
  const readiness = createReadiness({
    awaited: ['migrations', 'queue', 'api'],
    async askDatabase() {
      asked++
      mostAtOnce = Math.max(mostAtOnce, ++atOnce)
      await new Promise((resolve) => setTimeout(resolve, 20))
      atOnce--
      return undefined
    },
    stopping: new AbortController().signal,
  })
  const registry = createRegistry()
  const server = await startOperationsServer({ what: 'a test', host: '127.0.0.1', port: 0, registry, readiness })
  return { port: closeLater(server), readiness, asked: () => asked, mostAtOnce: () => mostAtOnce }
}

/** One request on a connection of `agent`. */
function ask(port: number, path: string, method = 'GET', agent?: Agent) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number
    body: string
    allow: string | undefined
  }>()
  request({ port, host: '127.0.0.1', path, method, ...(agent && { agent }) }, (response) => {
    let body = ''
    response.on('data', (chunk: Buffer) => (body += chunk.toString()))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body, allow: response.headers.allow }))
  })
    .on('error', reject)
    .end()
  return promise
}

test('started is 503 until migrations, queue and API are there, and asks nobody', async () => {
  const { port, readiness, asked } = await start()
  readiness.found('migrations', 'queue')
  const before = await ask(port, '/health/started')
  expect(before.status).toBe(503)
  expect(JSON.parse(before.body)).toEqual({ status: 'not started', missing: { api: 'does not listen yet' } })
  readiness.found('api')
  expect(await ask(port, '/health/started')).toMatchObject({ status: 200, body: '{"status":"started"}\n' })
  expect(asked()).toBe(0)
})

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])('%s is not allowed on any path', async (method) => {
  const { port } = await start()
  for (const path of ['/metrics', '/health/live', '/health/started', '/health/ready'])
    expect(await ask(port, path, method)).toMatchObject({ status: 405, allow: 'GET, HEAD' })
  expect((await ask(port, '/nothing', method)).status).toBe(404)
})

test('HEAD is answered as GET is, without the body', async () => {
  const { port } = await start()
  for (const path of ['/metrics', '/health/live'])
    expect(await ask(port, path, 'HEAD')).toMatchObject({ status: 200, body: '' })
})

test('four hundred connections that ask without a pause cost a query a second, and answer a probe meanwhile', async () => {
  const { port, asked, mostAtOnce } = await start()
  const agent = new Agent({ keepAlive: true, maxSockets: 400 })
  opened.defer(() => agent.destroy())
  let answers = 0
  let stopped = false
  const started = performance.now()
  const flood = Array.from({ length: 400 }, async (_, n) => {
    while (!stopped) {
      await ask(port, n % 2 === 0 ? '/health/ready' : '/metrics', 'GET', agent)
      answers++
    }
  })
  await vi.waitFor(() => expect(answers).toBeGreaterThan(1_000), { timeout: 60_000 })
  expect((await ask(port, '/health/live')).status).toBe(200)
  stopped = true
  await Promise.all(flood)
  const seconds = (performance.now() - started) / 1000
  expect(mostAtOnce()).toBe(1)
  expect(asked()).toBeLessThanOrEqual(seconds + 1)
  // Unpaced, two thousand answers and more come in a second.
  expect(answers / seconds).toBeLessThan(1_000)
})

async function openSocket(port: number): Promise<Socket & { open: () => boolean }> {
  const socket = connect(port, '127.0.0.1')
  let open = true
  socket.on('close', () => (open = false)).on('error', () => {})
  await once(socket, 'connect')
  opened.defer(() => void socket.destroy())
  return Object.assign(socket, { open: () => open })
}

test('connections that are only held open make room, the oldest first; one with a request under way stays', async () => {
  const waiting: (() => void)[] = []
  const server = createServer((_, response) => waiting.push(() => response.end('done')))
  boundConnections(server, 10)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = closeLater(server)
  const busy = ask(port, '/')
  await expect.poll(() => waiting).toHaveLength(1)
  const sockets: Awaited<ReturnType<typeof openSocket>>[] = []
  for (let n = 0; n < 9; n++) sockets.push(await openSocket(port))
  // Half a request is idle too.
  sockets[0]!.write('GET / HTTP/1.1\r\nHost')
  for (let n = 0; n < 20; n++) sockets.push(await openSocket(port))
  await vi.waitFor(() => expect(sockets.map((socket) => socket.open())).toEqual(sockets.map((_, n) => n >= 20)), {
    timeout: 50_000,
  })
  const late = ask(port, '/')
  await vi.waitFor(() => expect(waiting).toHaveLength(2), { timeout: 50_000 })
  for (const answer of waiting) answer()
  expect((await Promise.all([busy, late])).map(({ body }) => body)).toEqual(['done', 'done'])
})
