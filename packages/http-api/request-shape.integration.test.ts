import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { createLogger, createRegistry } from '@product-events/telemetry'
import { Type } from 'typebox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttpApi, type HttpApi, text } from './index.ts'

let app: HttpApi
beforeAll(async () => {
  app = createHttpApi({ logger: createLogger('test', 'silent'), registry: createRegistry() })
  const limit = Type.Integer({ minimum: 1, maximum: 100, default: 20 })
  const querystring = Type.Object({ limit }, { additionalProperties: false })
  app.get('/things', { schema: { querystring } }, ({ query }) => query)
  app.post('/things', { schema: { body: Type.Object({ name: text({}) }) } }, ({ body }) => body)
  await app.listen({ port: 0 })
})
afterAll(() => app.close())

interface Answer {
  status: number
  head: string
  body: string
}

/** Everything that the server answers to these bytes until it closes the connection. */
async function talk(bytes: string): Promise<Answer> {
  const socket = connect((app.server.address() as AddressInfo).port, 'localhost')
  let answer = ''
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  const [head = '', ...body] = answer.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head, body: body.join('\r\n\r\n') }
}

const json = 'Content-Type: application/json\r\n'
const close = 'Connection: close\r\n'
const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\n${close}${headers}\r\n`
const post = (headers: string, body = '{"name":"a"}') =>
  `POST /things HTTP/1.1\r\nHost: x\r\n${close}${json}Content-Length: ${body.length}\r\n${headers}\r\n${body}`

test('the requests that the others are made of are taken', async () => {
  expect(await talk(get('/things'))).toMatchObject({ status: 200, body: '{"limit":20}' })
  expect(await talk(post('Content-Encoding: identity\r\nIdempotency-Key: a\r\n'))).toMatchObject({ status: 200 })
  expect((await talk(post('Expect: 100-Continue\r\n'))).head).toContain('100 Continue')
  expect(await talk(`GET /things HTTP/1.0\r\n${close}\r\n`)).toMatchObject({ status: 200 })
})

test.each([
  ['two hosts', get('/things', 'Host: y\r\n'), 400],
  ['two equal hosts', get('/things', 'host: x\r\n'), 400],
  ['no host', `GET /things HTTP/1.1\r\n${close}\r\n`, 400],
  ['a host with a path', `GET /things HTTP/1.1\r\nHost: x/y\r\n${close}\r\n`, 400],
  ['a host with a blank', `GET /things HTTP/1.1\r\nHost: x y\r\n${close}\r\n`, 400],
  ['two Idempotency-Keys', post('Idempotency-Key: a\r\nIdempotency-Key: b\r\n'), 400],
  ['two equal Idempotency-Keys', post('Idempotency-Key: a\r\nidempotency-key: a\r\n'), 400],
  ['two media types', post('Content-Type: text/plain\r\n'), 400],
  ['two authorizations', get('/things', 'Authorization: a\r\nAuthorization: b\r\n'), 400],
  ['two request ids', get('/things', 'X-Request-Id: a\r\nX-Request-Id: b\r\n'), 400],
  ['two hosts, far apart', get('/things', `${'a:\r\n'.repeat(2_500)}Host: y\r\n`), 400],
  ['a compressed body', post('Content-Encoding: gzip\r\n'), 415],
  ['a body compressed twice', post('Content-Encoding: gzip, br\r\n'), 415],
  ['an unknown content coding', post('Content-Encoding: x\r\n'), 415],
  ['an unknown expectation', post('Expect: foo\r\n'), 400],
  ['an unknown expectation beside a known one', post('Expect: 100-continue, foo\r\n'), 400],
  ['another transfer coding', post('Transfer-Encoding: gzip, chunked\r\n').replace(/Content-Length.*\r\n/, ''), 400],
  ['chunks in HTTP/1.0', `POST /things HTTP/1.0\r\nHost: x\r\n${json}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ['a length and chunks', post('Transfer-Encoding: chunked\r\n'), 400],
  ['chunks and a length', post('').replace('Content-Length', 'Transfer-Encoding: chunked\r\nContent-Length'), 400],
  ['chunked, spelled with a tab', post('Transfer-Encoding:\tchunked\r\n'), 400],
  ['chunked, spelled with a control character', post('Transfer-Encoding: \x0bchunked\r\n'), 400],
  ['a length with a sign', post('').replace('Content-Length: ', 'Content-Length: +'), 400],
  ['two lengths in one header', post('').replace(/Content-Length: (\d+)/, 'Content-Length: $1, $1'), 400],
  ['a length in hexadecimal', post('').replace('Content-Length: 12', 'Content-Length: 0xC'), 400],
  ['a blank before the colon', get('/things', 'Content-Length : 5\r\n'), 400],
  ['a folded header', get('/things', 'X-A: b\r\n c\r\n'), 400],
  ['a bare line feed', `GET /things HTTP/1.1\nHost: x\n${close}\n\n`, 400],
  ['HTTP/2.0', get('/things').replace('HTTP/1.1', 'HTTP/2.0'), 400],
  ['HTTP/0.9', 'GET /things\r\n\r\n', 400],
  ['another path for proxies', get('http://x/nothing'), 404],
  ['an asterisk', get('*'), 404],
])('%s', async (_, bytes, status) => {
  const answer = await talk(bytes)
  expect(answer.status).toBe(status)
  expect(answer.head.toLowerCase()).toContain('content-type: application/problem+json')
  expect(JSON.parse(answer.body)).toMatchObject({ status })
})

test.each([
  ['http://x/things?limit=7', '{"limit":7}'],
  ['HTTP://other:80/things', '{"limit":20}'],
])('a proxy asks for %s', async (target, body) => {
  expect(await talk(get(target))).toMatchObject({ status: 200, body })
})

test.each(['HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'QUERY', 'PURGE', 'get'])(
  '%s is answered by a problem or as GET is, on paths that there are and on others',
  async (method) => {
    for (const target of ['/things', '/things/', '/nothing', '*', 'http://x/things', '//things', '/things/../things']) {
      const answer = await talk(get(target).replace('GET', method))
      if (method === 'HEAD' && answer.status === 200) continue
      expect([400, 404, 405], `${method} ${target}`).toContain(answer.status)
      if (answer.status === 405) expect(answer.head.toLowerCase()).toContain('allow: get, head, post')
      if (method !== 'HEAD') expect(JSON.parse(answer.body)).toMatchObject({ status: answer.status })
    }
  },
)

test.each(['0x10', '1e1', '+5', ' 5', '5 ', '05', '5.0', '5.', '-0', '0b1', '0o7', '１', '5n', '1_0', 'true', '[5]'])(
  '?limit=%s is no number',
  async (limit) => {
    const answer = await app.inject(`/things?limit=${encodeURIComponent(limit)}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ errors: [{ field: 'limit' }] })
  },
)

test('thousands of unknown names are counted, and twenty of them are listed', async () => {
  const names = Array.from({ length: 3_000 }, (_, n) => `n${n}`)
  const answer = await app.inject(`/things?${names.join('&')}`)
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ detail: 'The querystring is not valid: 3000 errors, of which 20 are listed.' })
  expect(answer.json<{ errors: unknown[] }>().errors).toHaveLength(20)
})

test('an answer does not repeat a long name or path', async () => {
  const long = 'a'.repeat(10_000)
  expect((await app.inject(`/things?${long}=1`)).body.length).toBeLessThan(1_000)
  const { detail } = (await app.inject(`/${long}`)).json<{ detail: string }>()
  expect(detail.length).toBeLessThan(300)
})
