import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { createLogger, createRegistry } from '@product-events/telemetry'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createHttpApi, type HttpApi, stopHttpApi } from './index.ts'

let app: HttpApi
let answerNow: () => void
beforeEach(async () => {
  app = createHttpApi({ logger: createLogger('test', 'silent'), registry: createRegistry() })
  app.get('/slow', async () => {
    await new Promise<void>((resolve) => (answerNow = resolve))
    return 'done'
  })
  app.get('/quick', () => 'quick')
  app.post('/echo', ({ body }) => body ?? 'nothing')
  await app.listen({ port: 0 })
})
afterEach(() => app.close())

/** What the server says to these bytes, once it has closed the connection. */
async function talk(bytes: string): Promise<string> {
  const socket = connect((app.server.address() as AddressInfo).port, 'localhost')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.write(bytes)
  await once(socket, 'close')
  return answer
}

test.each([
  ['what is no HTTP', 'HELLO\r\n\r\n', 400],
  ['headers of more than 16 KiB', `GET /quick HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`, 431],
  ['a URL of more than 16 KiB', `GET /quick?${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['two lengths of one body', 'POST /quick HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
])('%s is answered with a problem, and the connection is closed', async (_, bytes, status) => {
  const answer = await talk(bytes)
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain('Content-Type: application/problem+json')
  const [, body = ''] = answer.split('\r\n\r\n')
  expect(JSON.parse(body)).toMatchObject({ status, request_id: /X-Request-Id: (.*)\r/.exec(answer)?.[1] })
})

test.each([
  ['half of its headers', 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-'],
  [
    'half of its body',
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n[1,',
  ],
])('a request of which %s arrives gets 408 when its time is over, and the connection is closed', async (_, bytes) => {
  // The limit itself is ten seconds; it is looked at once a second.
  app.server.headersTimeout = app.server.requestTimeout = 200
  expect(await talk(bytes)).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n[^]*"status":408/)
})

test('a request that names the type of a body and has none is answered at once', async () => {
  const head = 'POST /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n'
  expect(await talk(head)).toMatch(/^HTTP\/1.1 405 /)
  expect(await talk(head.replace('quick', 'echo'))).toMatch(/^HTTP\/1.1 200 OK/)
})

test('a flood of headers within their limit is no trouble', async () => {
  const headers = Array.from({ length: 300 }, (_, n) => `a${n}: b\r\n`).join('')
  expect(await talk(`GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`)).toMatch(
    /^HTTP\/1.1 200 OK/,
  )
})

test('a stop answers what is under way, tells the client to use another connection, and ends right after', async () => {
  const answer = talk('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect.poll(() => answerNow).toBeTypeOf('function')
  const stopped = stopHttpApi(app, 60_000)
  await turn()
  answerNow()
  expect(await answer).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*connection: close\r\n[^]*done$/i)
  await stopped
})

test('a stop does not wait for a request of which only half arrives', async () => {
  const answer = talk(
    'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n[1,',
  )
  const connections = () => new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)))
  await expect.poll(connections).toBeGreaterThan(0)
  await stopHttpApi(app, 1)
  expect(await answer).not.toContain('200')
})

test('a stop takes what comes within a moment over connections that were open, and no second request on any', async () => {
  const socket = connect((app.server.address() as AddressInfo).port, 'localhost')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.write('GET /quick HTTP/1.1\r\nHost: x\r\n\r\n')
  await expect.poll(() => answer).toMatch(/connection: keep-alive[^]*quick$/i)
  const stopped = stopHttpApi(app, 60_000)
  answer = ''
  socket.write('GET /quick HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'close')
  expect(answer).toMatch(/^HTTP\/1.1 200 OK[^]*connection: close[^]*quick$/i)
  await stopped
})

test('a stop closes idle connections soon', async () => {
  const response = await fetch(`http://localhost:${(app.server.address() as AddressInfo).port}/quick`)
  expect(await response.text()).toBe('quick')
  await stopHttpApi(app, 60_000)
})

test('a stop takes requests for up to another second while they still arrive: a balancer may be slow', async () => {
  const idle = connect((app.server.address() as AddressInfo).port, 'localhost')
  const quick = 'GET /quick HTTP/1.1\r\nHost: x\r\n\r\n'
  idle.write(quick)
  await once(idle, 'data')
  const start = performance.now()
  const stopped = stopHttpApi(app, 60_000)
  let answeredAt = start
  while ((await talk(quick).catch(() => '')).includes('quick')) answeredAt = performance.now()
  await stopped
  expect(answeredAt - start).toBeGreaterThan(1_200)
})
