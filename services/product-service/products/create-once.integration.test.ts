import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { freshDatabase } from '@product-events/local'
import type { Product } from '@product-events/contracts'
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import { migrations, openTestApp, type TestApp, untilAnswered } from '../testing/app.ts'
import { forgetKeysOnce } from '../forget-keys.ts'

let it: TestApp
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
beforeEach(async () => {
  await it.pool.query('TRUNCATE products, events, idempotency_keys')
})
afterAll(() => it.close())

const post = (key: string, body: object | string = { name: 'Tea', price: 1.5 }, app = it.app) =>
  app.inject({
    method: 'POST',
    url: '/products',
    headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    body,
  })
const count = async (table: 'products' | 'events' | 'idempotency_keys') =>
  (await it.pool.query(`SELECT FROM ${table}`)).rowCount
const counts = async () => [await count('products'), await count('events'), await count('idempotency_keys')]

test('the same key and body get the first answer again, byte for byte, and nothing is done', async () => {
  const first = await post('k')
  const [nudges, counted] = [it.nudges(), await it.registry.getSingleMetric('products_created_total')?.get()]
  const again = await post('k', '{ "price": 1.50, "description": "", "name": "Tea" }')
  expect(first.statusCode).toBe(201)
  expect(first.headers).toMatchObject({ etag: '"1"', location: `/products/${first.json<Product>().id}` })
  expect(first.headers).not.toHaveProperty('idempotency-replayed')
  expect(again.headers['idempotency-replayed']).toBe('true')
  expect(again.rawPayload.equals(first.rawPayload)).toBe(true)
  for (const part of ['location', 'etag', 'content-type']) expect(again.headers[part]).toBe(first.headers[part])
  expect(again.statusCode).toBe(201)
  expect(await counts()).toEqual([1, 1, 1])
  expect(it.nudges()).toBe(nudges)
  expect(await it.registry.getSingleMetric('products_created_total')?.get()).toEqual(counted)
})

test('the answer stays the first one, whatever became of the product', async () => {
  const first = await post('k')
  const url = first.headers.location as string
  await it.app.inject({ method: 'PATCH', url, body: { price: 7 } })
  await it.app.inject({ method: 'DELETE', url })
  expect((await post('k')).body).toBe(first.body)
  expect(await count('products')).toBe(0)
})

test('another body under the same key is 422, and nothing is written', async () => {
  await post('k')
  const other = await post('k', { name: 'Tea', price: 1.51 })
  expect(other.statusCode).toBe(422)
  expect(other.json()).toMatchObject({ type: 'urn:problem-type:idempotency-key-reused' })
  expect(await counts()).toEqual([1, 1, 1])
})

test('two hundred at once with one key make one product and one event', async () => {
  const answers = await Promise.all(Array.from({ length: 200 }, () => post('k')))
  const created = answers.filter((answer) => answer.statusCode === 201)
  const others = answers.filter((answer) => answer.statusCode !== 201)
  expect(new Set(created.map((answer) => answer.body)).size).toBe(1)
  expect(others.every((answer) => answer.statusCode === 409)).toBe(true)
  expect(others[0]?.json()).toMatchObject({ type: 'urn:problem-type:request-in-progress' })
  expect(await counts()).toEqual([1, 1, 1])
})

/** A request that got 503 after six seconds may still be in progress: then its key is 409 until it is done. */
async function untilDone(ask: () => ReturnType<typeof post>): ReturnType<typeof post> {
  for (;;) {
    const answer = await untilAnswered(ask)
    if (answer.statusCode !== 409) return answer
  }
}

test('two processes with the same forty keys at once make forty products, and their neighbours do not mind', async () => {
  const other = openTestApp(it.databaseUrl)
  try {
    const keys = Array.from({ length: 40 }, (_, n) => `key ${n}`)
    const plain = Array.from({ length: 10 }, (_, n) =>
      it.app.inject({ method: 'POST', url: '/products', body: { name: `${n}`, price: n } }),
    )
    const [ours, theirs] = await Promise.all([
      Promise.all(keys.map((key) => untilDone(() => post(key, { name: key, price: 1 })))),
      Promise.all(keys.toReversed().map((key) => untilDone(() => post(key, { name: key, price: 1 }, other.app)))),
    ])
    expect((await Promise.all(plain)).every((answer) => answer.statusCode === 201)).toBe(true)
    const bodies = new Map(theirs.map((answer) => [answer.json<Product>().name, answer.body]))
    for (const answer of ours) expect(bodies.get(answer.json<Product>().name)).toBe(answer.body)
    const replayed = [...ours, ...theirs].filter((answer) => answer.headers['idempotency-replayed'] === 'true')
    // More on a busy machine: who got 503 although the product was made hears of it by a replay as well.
    expect(replayed.length).toBeGreaterThanOrEqual(keys.length)
    expect(await counts()).toEqual([50, 50, 40])
  } finally {
    await other.close()
  }
})

test('a key that another process commits while a request is about to is answered with what that process remembered', async () => {
  const otherProcess = await it.pool.connect()
  try {
    await otherProcess.query('BEGIN')
    await otherProcess.query(
      `INSERT INTO idempotency_keys (key, request_hash, status, headers, body) VALUES ('k', 'of another body', 201, '{}', '')`,
    )
    const answer = post('k')
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
    await expect.poll(async () => (await it.pool.query(waiting)).rowCount, { timeout: 4_000 }).toBe(1)
    await otherProcess.query('COMMIT')
    expect((await answer).json()).toMatchObject({ type: 'urn:problem-type:idempotency-key-reused' })
    expect(await counts()).toEqual([0, 0, 1])
  } finally {
    otherProcess.release()
  }
})

test('a request that failed is not remembered: the key may be used again', async () => {
  expect((await post('k', { name: '', price: 1 })).statusCode).toBe(400)
  await it.pool.query('ALTER TABLE events ADD CONSTRAINT refuse CHECK (false) NOT VALID')
  try {
    expect((await post('k')).statusCode).toBe(500)
  } finally {
    await it.pool.query('ALTER TABLE events DROP CONSTRAINT refuse')
  }
  expect(await counts()).toEqual([0, 0, 0])
  expect((await post('k', { name: 'Other', price: 1 })).statusCode).toBe(201)
})

test('with tokens a key is its subject’s own: another subject gets a product of its own, and neither the other’s answer', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const keys = JSON.stringify({ keys: [await exportJWK(publicKey)] })
  const keySet = createServer((_, response) => response.end(keys)).listen(0, '127.0.0.1')
  await once(keySet, 'listening')
  const jwksUrl = `http://127.0.0.1:${(keySet.address() as AddressInfo).port}/keys`
  const access = { jwksUrl, issuer: 'https://id.example', audience: 'shop' }
  const guarded = openTestApp(it.databaseUrl, access)
  onTestFinished(async () => {
    await guarded.close()
    keySet.close()
    keySet.closeAllConnections()
  })
  const postAs = async (subject: string, body = { name: 'Tea', price: 1.5 }) => {
    const claims = { iss: access.issuer, aud: access.audience, sub: subject, scope: 'products:write' }
    const token = new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).setExpirationTime('1m')
    const authorization = `Bearer ${await token.sign(privateKey)}`
    const headers = { authorization, 'idempotency-key': 'k' }
    return guarded.app.inject({ method: 'POST', url: '/products', headers, body })
  }

  const [alice, bob] = await Promise.all([postAs('alice'), postAs('bob')])
  expect([alice.statusCode, bob.statusCode]).toEqual([201, 201])
  expect(alice.json<Product>().id).not.toBe(bob.json<Product>().id)
  expect(await counts()).toEqual([2, 2, 2])
  for (const [subject, first] of [['alice', alice] as const, ['bob', bob] as const]) {
    const again = await postAs(subject)
    expect([again.headers['idempotency-replayed'], again.body]).toEqual(['true', first.body])
  }
  // Nor does one learn from a 422 or a 409 that another used the key.
  expect((await postAs('carol', { name: 'Coffee', price: 2 })).statusCode).toBe(201)
  expect((await postAs('alice', { name: 'Coffee', price: 2 })).statusCode).toBe(422)
  expect((await post('k')).headers).not.toHaveProperty('idempotency-replayed')
})

test('forgetting one caller’s old key leaves the same key of another', async () => {
  await it.pool.query(
    `INSERT INTO idempotency_keys (caller, key, request_hash, status, headers, body, created_at)
     VALUES ('one', 'k', '', 201, '{}', '', now() - interval '25 hours'), ('other', 'k', '', 201, '{}', '', now())`,
  )
  expect(await forgetKeysOnce(it.pool)).toBe(1)
  const { rows } = await it.pool.query('SELECT caller FROM idempotency_keys')
  expect(rows).toEqual([{ caller: 'other' }])
})

test.each(['', 'x'.repeat(256), 'é', 'a\tb'])('the key %j is refused by name', async (key) => {
  const answer = await post(key)
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ errors: [{ field: 'idempotency-key' }] })
})

test.each(['x', 'x'.repeat(255), 'a b ~!'])('the key %j is taken', async (key) => {
  expect((await post(key)).statusCode).toBe(201)
})

test('keys are forgotten after 24 hours, oldest first, a thousand at a time', async () => {
  await it.pool.query(
    `INSERT INTO idempotency_keys (key, request_hash, status, headers, body, created_at)
     SELECT n::text, '', 201, '{}', '', now() - n * interval '1 second' - interval '24 hours'
     FROM generate_series(1, 1001) AS n`,
  )
  await post('young')
  await it.pool.query(`UPDATE idempotency_keys SET created_at = now() - interval '23:59:50' WHERE key = 'young'`)
  expect(await forgetKeysOnce(it.pool)).toBe(1000)
  const { rows } = await it.pool.query<{ key: string }>('SELECT key FROM idempotency_keys ORDER BY key')
  expect(rows.map((row) => row.key)).toEqual(['1', 'young'])
  expect([await forgetKeysOnce(it.pool), await forgetKeysOnce(it.pool)]).toEqual([1, 0])
  expect((await post('young')).headers['idempotency-replayed']).toBe('true')
})
