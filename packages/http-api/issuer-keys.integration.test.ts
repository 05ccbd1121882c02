import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createIssuerKeys, KeysUnavailable } from './issuer-keys.ts'

const known = await generateKeyPair('ES256', { extractable: true })
const other = await generateKeyPair('ES256', { extractable: true })
const jwk = async ({ publicKey }: typeof known, kid: string) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })
const one = JSON.stringify({ keys: [await jwk(known, 'known')] })
const both = JSON.stringify({ keys: [await jwk(known, 'known'), await jwk(other, 'new')] })

let issuer: Server
let fetches: number
/** The body of the key set; undefined for an issuer that hangs. */
let keySet: string | undefined
let keys: JWTVerifyGetKey
let lines: string[]
beforeEach(async () => {
  fetches = 0
  keySet = one
  lines = []
  issuer = createServer((request, response) => {
    fetches++
    if (request.url === '/moved') response.writeHead(302, { location: '/keys' }).end()
    else if (keySet !== undefined) response.end(keySet)
  }).listen(0, '127.0.0.1')
  await once(issuer, 'listening')
  keys = keysAt('/keys')
})
afterEach(() => {
  vi.useRealTimers()
  issuer.close()
  issuer.closeAllConnections()
})

function keysAt(path: string): JWTVerifyGetKey {
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}${path}`
  return createIssuerKeys(url, { lost: () => lines.push('lost'), back: () => lines.push('back') })
}

/** Lets so many milliseconds pass for the cooldown, without waiting. */
function pass(ms: number): void {
  const now = performance.now()
  vi.useFakeTimers({ toFake: ['performance'] })
  vi.advanceTimersByTime(now + ms)
}

const token = (kid: string, { privateKey }: typeof known) =>
  new SignJWT({ sub: 'somebody' }).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
const good = await token('known', known)
const forged = await token('unknown', other)
const added = await token('new', other)

const check = (jwt: string) =>
  jwtVerify(jwt, keys).then(
    () => 'good',
    (error: Error) => (error instanceof KeysUnavailable ? 'no keys' : 'refused'),
  )

test.each([
  ['broken', '<html>'],
  ['too large', ' '.repeat(300_000)],
  ['hanging', undefined],
])('a flood of tokens asks an issuer whose answer is %s once, and reports it once', async (_, answer) => {
  keySet = answer
  const checks = await Promise.all(Array.from({ length: 100 }, (_, n) => check(n % 2 === 0 ? forged : good)))
  expect(new Set(checks)).toEqual(new Set(['no keys']))
  expect(await check(good)).toBe('no keys')
  expect(fetches).toBe(1)
  expect(lines).toEqual(['lost'])
  keySet = one
  pass(1_500)
  expect(await check(good)).toBe('good')
  expect(lines).toEqual(['lost', 'back'])
})

test('while the issuer hangs, known keys stay good and unknown ones are refused without waiting for its answer', async () => {
  expect(await check(good)).toBe('good')
  keySet = undefined
  pass(31_000)
  const checks = await Promise.all(Array.from({ length: 100 }, (_, n) => check(n % 2 === 0 ? forged : good)))
  expect(checks).toEqual(checks.map((_, n) => (n % 2 === 0 ? 'refused' : 'good')))
  expect(fetches).toBe(2)
  pass(12 * 3_600_000)
  expect(await check(good)).toBe('good')
})

test('a key that the issuer has added is found with its first token, once the cooldown is over', async () => {
  expect(await check(good)).toBe('good')
  keySet = both
  expect(await check(added)).toBe('refused')
  pass(31_000)
  expect(await check(added)).toBe('good')
  expect(fetches).toBe(2)
})

test('a redirect is not followed', async () => {
  keys = keysAt('/moved')
  expect(await check(good)).toBe('no keys')
  expect(fetches).toBe(1)
})
