import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { createLogger, createRegistry } from '@product-events/telemetry'
import { Type } from 'typebox'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createHttpApi, type HttpApi } from './index.ts'

const keys = await generateKeyPair('ES256', { extractable: true })
const rsa = await generateKeyPair('RS256', { extractable: true })
const stranger = await generateKeyPair('ES256')
const issuer = 'https://id.example/'
const audience = 'things'

let keySet: Server
let fetches = 0
let answerKeys: 'keys' | 'broken' | 'away' | 'never' = 'keys'
let jwksUrl: string
let app: HttpApi
beforeAll(async () => {
  const jwks = [
    { ...(await exportJWK(keys.publicKey)), kid: 'a', alg: 'ES256', use: 'sig' },
    { ...(await exportJWK(rsa.publicKey)), kid: 'r', use: 'sig' },
  ]
  keySet = createServer((_, response) => {
    fetches++
    if (answerKeys === 'away') response.destroy()
    if (answerKeys === 'away' || answerKeys === 'never') return
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(answerKeys === 'broken' ? '<html>' : JSON.stringify({ keys: jwks }))
  }).listen(0, '127.0.0.1')
  await once(keySet, 'listening')
  jwksUrl = `http://127.0.0.1:${(keySet.address() as AddressInfo).port}/keys`
})
beforeEach(() => {
  answerKeys = 'keys'
  fetches = 0
  app = createHttpApi({
    logger: createLogger('test', 'silent'),
    registry: createRegistry(),
    document: { title: 'things', description: '' },
    access: { issuer: { jwksUrl, issuer, audience }, scopes: { read: 'things:read', write: 'things:write' } },
  })
  const schema = { response: { 200: Type.Object({ ok: Type.Boolean() }) } }
  app.after(() => {
    app.get('/things', { schema }, () => ({ ok: true }))
    app.post('/things', { schema }, () => ({ ok: true }))
  })
})
afterEach(() => app.close())
afterAll(() => {
  keySet.close()
  keySet.closeAllConnections()
})

interface Changes {
  claims?: Record<string, unknown>
  header?: { alg: string; kid?: string }
  key?: Parameters<SignJWT['sign']>[0]
  /** Seconds from now: a test may have its turn long after this list was written. */
  expiresIn?: number | undefined
}

/** A good token but for the changes. */
async function token({ claims, header = { alg: 'ES256', kid: 'a' }, key = keys.privateKey, ...rest }: Changes = {}) {
  const jwt = new SignJWT({ iss: issuer, sub: 'somebody', aud: audience, scope: 'things:read things:write', ...claims })
  const expiresIn = 'expiresIn' in rest ? rest.expiresIn : 60
  if (expiresIn !== undefined) jwt.setExpirationTime(now() + expiresIn)
  return jwt.setProtectedHeader(header).sign(key)
}

const call = async (authorization?: string, method: 'GET' | 'POST' | 'HEAD' = 'GET', url = '/things') =>
  app.inject({ method, url, headers: authorization === undefined ? {} : { authorization } })
const now = () => Math.floor(Date.now() / 1000)

test.each([
  ['of the issuer', {}],
  ['signed with another of its keys', { header: { alg: 'RS256', kid: 'r' }, key: rsa.privateKey }],
  ['with scp as a list', { claims: { scope: undefined, scp: ['things:read'] } }],
  ['for several audiences', { claims: { aud: ['others', audience] } }],
  ['that expired within the tolerance of clocks', { expiresIn: -3 }],
] satisfies [string, Changes][])('a token %s is let in', async (_, changes) => {
  expect((await call(`Bearer ${await token(changes)}`)).statusCode).toBe(200)
})

test.each([
  ['expired', { expiresIn: -60 }, 'expired'],
  ['without an end', { expiresIn: undefined }, 'exp'],
  ['not valid yet', { claims: { nbf: now() + 60 } }, 'nbf'],
  ['for another audience', { claims: { aud: 'others' } }, 'aud'],
  ['of nobody', { claims: { sub: undefined } }, 'sub'],
  ['of an empty name', { claims: { sub: '' } }, 'sub'],
  ['of a blank name', { claims: { sub: ' ' } }, 'sub'],
  ['of an object', { claims: { sub: {} } }, 'sub'],
  ['of a list', { claims: { sub: ['somebody'] } }, 'sub'],
  ['of a number', { claims: { sub: 7 } }, 'sub'],
  ['for no audience', { claims: { aud: undefined } }, 'aud'],
  ['of another issuer', { claims: { iss: 'https://evil.example/' } }, 'iss'],
  ['signed by a stranger under a known key id', { key: stranger.privateKey }, 'signature'],
  ['signed by an unknown key', { header: { alg: 'ES256', kid: 'x' }, key: stranger.privateKey }, 'key'],
] satisfies [string, Changes, string][])('a token that is %s is 401, and says why', async (_, changes, reason) => {
  const answer = await call(`Bearer ${await token(changes)}`)
  expect(answer.statusCode).toBe(401)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer error="invalid_token", error_description="[^"]*"$/)
  expect(answer.headers['www-authenticate']).toContain(reason)
  expect(answer.json()).toMatchObject({ status: 401, type: 'urn:problem-type:unauthenticated' })
})

test('HS256 with the public key as its secret is 401: a key that everybody has signs nothing', async () => {
  for (const secret of [await exportSPKI(rsa.publicKey), JSON.stringify(await exportJWK(rsa.publicKey))]) {
    const forged = await token({ header: { alg: 'HS256', kid: 'r' }, key: new TextEncoder().encode(secret) })
    const answer = await call(`Bearer ${forged}`)
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('algorithm')
  }
})

test('an unsigned token is 401', async () => {
  const claims = { iss: issuer, aud: audience, scope: 'things:read', exp: now() + 60 }
  expect((await call(`Bearer ${new UnsecuredJWT(claims).encode()}`)).statusCode).toBe(401)
  const [, payload] = (await token()).split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  for (const forged of [`${none}.${payload}.`, `${none}.${payload}`])
    expect((await call(`Bearer ${forged}`)).statusCode).toBe(401)
})

test('a token of which anything was changed is 401', async () => {
  const [header = '', payload = '', signature = ''] = (await token({ claims: { scope: 'things:read' } })).split('.')
  const more = Buffer.from(
    JSON.stringify({ ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), scope: 'things:write' }),
  ).toString('base64url')
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
  const changed = [`${header}.${more}.${signature}`, `${header}.${payload}.${flipped}`, `${header}.${payload}.`]
  for (const forged of changed) expect((await call(`Bearer ${forged}`, 'POST')).statusCode).toBe(401)
})

test.each(['', 'Bearer', 'Bearer ', 'Basic dTpw', 'Bearer a b', 'Bearer ä', 'x'.repeat(9_000)])(
  'Authorization: %s is 401',
  async (header) => {
    const answer = await call(header)
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/)
  },
)

test('without a token the challenge names no error', async () => {
  const answer = await call()
  expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  expect(fetches).toBe(0)
})

test('a token may do what its scopes say: 403 with the scope that is missing', async () => {
  const reader = `Bearer ${await token({ claims: { scope: 'things:read other' } })}`
  const writer = `Bearer ${await token({ claims: { scope: 'things:write' } })}`
  const nobody = `Bearer ${await token({ claims: { scope: 'things:readers things' } })}`
  expect((await call(reader)).statusCode).toBe(200)
  expect((await call(reader, 'HEAD')).statusCode).toBe(200)
  expect((await call(writer, 'POST')).statusCode).toBe(200)
  expect((await call(nobody)).statusCode).toBe(403)
  const refused = await call(reader, 'POST')
  expect(refused.statusCode).toBe(403)
  expect(refused.headers['www-authenticate']).toBe('Bearer error="insufficient_scope", scope="things:write"')
  expect(refused.json()).toMatchObject({ type: 'urn:problem-type:forbidden' })
})

test('the body of whoever is not let in is not read', async () => {
  const answer = await app.inject({
    method: 'POST',
    url: '/things',
    headers: { 'content-type': 'application/json' },
    payload: '{',
  })
  expect(answer.statusCode).toBe(401)
})

test('paths that there are not are not told to strangers, and the document is open', async () => {
  expect((await call(undefined, 'GET', '/nothing')).statusCode).toBe(401)
  expect((await call(`Bearer ${await token()}`, 'GET', '/nothing')).statusCode).toBe(404)
  expect((await call(undefined, 'GET', '/openapi.json')).statusCode).toBe(200)
  expect((await call(undefined, 'GET', '/docs')).statusCode).toBe(200)
})

test.each(['away', 'broken'] as const)(
  'keys that are %s are 503 with Retry-After, and 200 when their issuer is back and some moments are over',
  async (how) => {
    answerKeys = how
    const answer = await call(`Bearer ${await token()}`)
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '2'])
    expect(answer.headers['www-authenticate']).toBeUndefined()
    answerKeys = 'keys'
    await vi.waitFor(async () => expect((await call(`Bearer ${await token()}`)).statusCode).toBe(200), 15_000)
  },
)

test('keys that do not come are 503 after three seconds', async () => {
  answerKeys = 'never'
  const started = performance.now()
  expect((await call(`Bearer ${await token()}`)).statusCode).toBe(503)
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('keys are fetched once, and keep serving while their issuer is away; unknown keys do not make us ask again', async () => {
  for (let n = 0; n < 3; n++) expect((await call(`Bearer ${await token()}`)).statusCode).toBe(200)
  answerKeys = 'away'
  for (let n = 0; n < 3; n++) {
    const unknown = await token({ header: { alg: 'ES256', kid: `x${n}` }, key: stranger.privateKey })
    expect((await call(`Bearer ${unknown}`)).statusCode).toBe(401)
  }
  expect((await call(`Bearer ${await token()}`)).statusCode).toBe(200)
  expect(fetches).toBe(1)
})
