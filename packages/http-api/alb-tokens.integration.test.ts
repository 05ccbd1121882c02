import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLogger, createRegistry } from '@product-events/telemetry'
import { Type } from 'typebox'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createHttpApi, type HttpApi } from './index.ts'

const albArn = 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/console/50dc6c495c0c9188'
const issuer = 'https://id.example/'
const balancer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let server: Server
let asked: string[] = []
let app: HttpApi
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/broken') response.writeHead(500).end()
    else if (request.url === '/key-1') response.end(balancer.publicKey.export({ type: 'spki', format: 'pem' }))
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
beforeEach(() => {
  asked = []
  const keysUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  app = createHttpApi({
    logger: createLogger('test', 'silent'),
    registry: createRegistry(),
    access: { issuer: { albArn, issuer, keysUrl }, scopes: { read: 'operations:read', write: 'operations:write' } },
  })
  const schema = { response: { 200: Type.Object({ subject: Type.String() }) } }
  app.get('/things', { schema }, ({ subject }) => ({ subject }))
  app.post('/things', { schema }, ({ subject }) => ({ subject }))
})
afterEach(() => app.close())
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

interface Changes {
  header?: Record<string, unknown>
  claims?: Record<string, unknown>
  key?: KeyObject
}

/** A header as the load balancer makes it, padded base64 included, but for the changes. */
function token({ header, claims, key = balancer.privateKey }: Changes = {}): string {
  const expires = Math.floor(Date.now() / 1000) + 120
  const part = (value: object) => {
    const text = Buffer.from(JSON.stringify(value)).toString('base64url')
    return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
  }
  const head = part({ alg: 'ES256', kid: 'key-1', signer: albArn, iss: issuer, client: 'x', exp: expires, ...header })
  const body = part({ sub: 'ann', groups: ['operations:read'], exp: expires, iss: issuer, ...claims })
  const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key, dsaEncoding: 'ieee-p1363' })
  return `${head}.${body}.${signature.toString('base64url')}==`
}

const call = (data: string | undefined, method: 'GET' | 'POST' = 'GET') =>
  app.inject({ method, url: '/things', headers: data === undefined ? {} : { 'x-amzn-oidc-data': data } })

test('the header of the load balancer signs its user in, by group or by scope', async () => {
  expect((await call(token())).json()).toEqual({ subject: 'ann' })
  expect((await call(token({ claims: { groups: undefined, scope: 'a operations:read' } }))).statusCode).toBe(200)
  expect((await call(token(), 'POST')).statusCode).toBe(403)
  expect((await call(token({ claims: { groups: ['operations:write'] } }), 'POST')).statusCode).toBe(200)
  expect(asked).toEqual(['/key-1'])
})

test.each<[string, Changes]>([
  ['of another load balancer', { header: { signer: albArn.replace('console', 'other') } }],
  ['of another issuer', { header: { iss: 'https://evil.example/' } }],
  ['without a signature algorithm', { header: { alg: 'none' } }],
  ['whose key id leads elsewhere', { header: { kid: '../../evil' } }],
])('a token %s is refused, and no key is asked for', async (_, changes) => {
  expect((await call(token(changes))).statusCode).toBe(401)
  expect(asked).toEqual([])
})

test.each<[string, Changes]>([
  ['signed with another key', { key: stranger.privateKey }],
  ['that has expired', { header: { exp: 1 } }],
  ['that says never to expire', { header: { exp: 'never' } }],
  ['without a subject', { claims: { sub: '' } }],
])('a token %s is refused', async (_, changes) => {
  expect((await call(token(changes))).statusCode).toBe(401)
})

test('claims that were changed after the signature are refused', async () => {
  const [head, , signature] = token().split('.')
  const [, body] = token({ claims: { sub: 'root', groups: ['operations:write'] } }).split('.')
  expect((await call(`${head}.${body}.${signature}`)).statusCode).toBe(401)
})

test.each([undefined, '', 'x', 'a.b', 'a.b.c.d', 'bnVsbA.bnVsbA.x'])('%j is no token', async (data) => {
  expect((await call(data)).statusCode).toBe(401)
})

test('keys that can not be had are no fault of the caller, and are asked for again', async () => {
  for (let times = 1; times <= 2; times++) {
    expect((await call(token({ header: { kid: 'broken' } }))).statusCode).toBe(503)
    expect(asked).toHaveLength(times)
  }
})

test('a key id that names no key is the token’s fault, and asked for once', async () => {
  for (let times = 0; times < 3; times++) {
    expect((await call(token({ header: { kid: 'unknown' } }))).statusCode).toBe(401)
  }
  expect(asked).toEqual(['/unknown'])
})

test('forged tokens with a hundred key ids are a few requests for keys, and users with a known key do not notice', async () => {
  await call(token())
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => call(token({ header: { kid: `forged-${n}` } }))),
  )
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([401, 503]))
  expect(asked.length).toBeLessThan(50)
  expect((await call(token())).statusCode).toBe(200)
})

test('a bearer token does not replace the header', async () => {
  const headers = { authorization: `Bearer ${token()}` }
  expect((await app.inject({ url: '/things', headers })).statusCode).toBe(401)
})
