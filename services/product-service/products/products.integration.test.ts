import { randomUUID } from 'node:crypto'
import { freshDatabase } from '@product-events/local'
import { parseBody, type Product } from '@product-events/contracts'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { create, migrations, openTestApp, type TestApp } from '../testing/app.ts'

let it: TestApp
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
beforeEach(async () => {
  it.logs.length = 0
  await it.pool.query('TRUNCATE products, events')
})
afterAll(() => it.close())

const request = (method: 'GET' | 'POST' | 'DELETE', url: string, body?: object) =>
  it.app.inject({ method, url, ...(body && { body }) })
const count = async (table: 'products' | 'events') => (await it.pool.query(`SELECT FROM ${table}`)).rowCount
const counter = async (name: string) => (await it.registry.getSingleMetric(name)?.get())?.values[0]?.value
const events = async () =>
  (
    await it.pool.query<{ key: string; type: string; event_id: string; payload: object }>(
      'SELECT key, type, event_id, payload FROM events ORDER BY id',
    )
  ).rows

describe('POST /products', () => {
  test('answers 201 with the product and where it is', async () => {
    const answer = await request('POST', '/products', { name: 'Tea', price: 12.5 })
    const product = answer.json<Product>()
    expect(answer.statusCode).toBe(201)
    expect(answer.headers.location).toBe(`/products/${product.id}`)
    expect(product).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/) as string,
      name: 'Tea',
      description: '',
      price: 12.5,
      version: 1,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      updated_at: product.created_at,
    })
  })

  test('writes the event that tells of it, wakes the relay and counts it', async () => {
    const before = { nudges: it.nudges(), created: (await counter('products_created_total')) ?? 0 }
    const product = await create(it.app, { name: 'Tea', description: 'Green', price: 0.1 })
    const [event] = await events()
    expect(event).toMatchObject({ key: product.id, type: 'product.created' })
    expect(parseBody(JSON.stringify(event?.payload))).toMatchObject({
      kind: 'event',
      event: { id: event?.event_id, subject: product.id, sequence: '1', time: product.created_at, data: product },
    })
    expect(it.nudges()).toBe(before.nudges + 1)
    expect(await counter('products_created_total')).toBe(before.created + 1)
  })

  test('one search for the product id finds the request, the product and the event in the log', async () => {
    const product = await create(it.app, { name: 'Tea', price: 1 })
    const [event] = await events()
    const line = it.logs.find((line) => line.product_id === product.id)
    expect(line).toMatchObject({ msg: 'product created', event_id: event?.event_id })
    expect(it.logs.find(({ msg }) => msg === 'request')).toMatchObject({ request_id: line?.request_id, status: 201 })
  })

  test('if the event can’t be written, there is no product either, no nudge and no count', async () => {
    const before = { nudges: it.nudges(), created: await counter('products_created_total') }
    await it.pool.query(`ALTER TABLE events ADD CONSTRAINT refuse CHECK (type <> 'product.created') NOT VALID`)
    try {
      expect((await request('POST', '/products', { name: 'Tea', price: 1 })).statusCode).toBe(500)
    } finally {
      await it.pool.query('ALTER TABLE events DROP CONSTRAINT refuse')
    }
    expect([await count('products'), await count('events')]).toEqual([0, 0])
    expect({ nudges: it.nudges(), created: await counter('products_created_total') }).toEqual(before)
  })

  test.each([
    ['the shortest', { name: 'a', description: '', price: 0 }],
    ['the longest', { name: '🍵'.repeat(200), description: '🍵'.repeat(2000), price: 9_999_999_999.99 }],
    ['what looks like SQL', { name: `'; DROP TABLE products; --`, description: '\\ " \u2028', price: 0.29 }],
  ])('%s is kept exactly, in the table and in the event', async (_, body) => {
    const { id } = await create(it.app, body)
    expect((await request('GET', `/products/${id}`)).json()).toMatchObject(body)
    expect((await events())[0]?.payload).toMatchObject({ data: body })
  })

  test.each([
    ['no name', { price: 1 }, 'name'],
    ['an empty name', { name: '', price: 1 }, 'name'],
    ['a name of 201 characters', { name: '🍵'.repeat(201), price: 1 }, 'name'],
    ['a name with U+0000', { name: 'a\0b', price: 1 }, 'name'],
    ['a name with half of a surrogate pair', { name: '\ud83c', price: 1 }, 'name'],
    ['a name that is null', { name: null, price: 1 }, 'name'],
    ['a name that is a number', { name: 1, price: 1 }, 'name'],
    ['a description of 2001 characters', { name: 'a', description: 'x'.repeat(2001), price: 1 }, 'description'],
    ['a description that is null', { name: 'a', description: null, price: 1 }, 'description'],
    ['a description with U+0000', { name: 'a', description: '\0', price: 1 }, 'description'],
    ['no price', { name: 'a' }, 'price'],
    ['a price that is text', { name: 'a', price: '1' }, 'price'],
    ['a price below 0', { name: 'a', price: -0.01 }, 'price'],
    ['a price of 10000000000', { name: 'a', price: 10_000_000_000 }, 'price'],
    ['a price with three decimals', { name: 'a', price: 12.345 }, 'price'],
    ['a price that is almost 0.3', { name: 'a', price: 0.1 + 0.2 }, 'price'],
    ['a field that nobody knows', { name: 'a', price: 1, color: 'red' }, 'color'],
    ['an id', { name: 'a', price: 1, id: randomUUID() }, 'id'],
    ['a list', [], 'body'],
  ])('%s is refused by name, and nothing is written', async (_, body, field) => {
    const answer = await request('POST', '/products', body)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json<{ errors: object[] }>().errors).toEqual([{ field, message: expect.any(String) as string }])
    expect([await count('products'), await count('events')]).toEqual([0, 0])
  })
})

describe('GET /products/{id}', () => {
  test('answers what creating it answered', async () => {
    const product = await create(it.app, { name: 'Tea', price: 1234567890.12 })
    const answer = await request('GET', `/products/${product.id}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual(product)
    expect(answer.body).toContain('"price":1234567890.12,')
    expect((await request('GET', `/products/${product.id.toUpperCase()}`)).json()).toEqual(product)
  })

  test.each([randomUUID(), 'x', '1', '%00', '0'.repeat(300), "'"])('%s is the id of no product: 404', async (id) => {
    const answer = await request('GET', `/products/${id}`)
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toMatchObject({ status: 404, type: 'urn:problem-type:not-found' })
  })
})

describe('DELETE /products/{id}', () => {
  test('answers 204, and the event carries the last state and the next sequence', async () => {
    const before = { nudges: it.nudges(), deleted: (await counter('products_deleted_total')) ?? 0 }
    const product = await create(it.app, { name: 'Tea', price: 1 })
    const answer = await request('DELETE', `/products/${product.id}`)
    expect([answer.statusCode, answer.body]).toEqual([204, ''])
    expect((await request('GET', `/products/${product.id}`)).statusCode).toBe(404)
    const [, event] = await events()
    expect(event).toMatchObject({ key: product.id, type: 'product.deleted' })
    expect(parseBody(JSON.stringify(event?.payload))).toMatchObject({
      kind: 'event',
      event: { sequence: '2', data: product },
    })
    expect(it.nudges()).toBe(before.nudges + 2)
    expect(await counter('products_deleted_total')).toBe(before.deleted + 1)
    expect(it.logs.find(({ msg }) => msg === 'product deleted')).toMatchObject({
      product_id: product.id,
      event_id: event?.event_id,
    })
  })

  test('what is not there can’t be deleted: 404 and no event', async () => {
    const answers = [await request('DELETE', `/products/${randomUUID()}`), await request('DELETE', '/products/x')]
    expect(answers.map((answer) => answer.statusCode)).toEqual([404, 404])
    expect(await count('events')).toBe(0)
  })

  test('of ten that delete the same product at once, one does and one event is written', async () => {
    const { id } = await create(it.app, { name: 'Tea', price: 1 })
    const answers = await Promise.all(Array.from({ length: 10 }, () => request('DELETE', `/products/${id}`)))
    const statuses = answers.map((answer) => answer.statusCode)
    expect(statuses.toSorted((a, b) => a - b)).toEqual([204, ...Array<number>(9).fill(404)])
    expect((await events()).map((event) => event.type)).toEqual(['product.created', 'product.deleted'])
  })

  test('if the event can’t be written, the product is still there', async () => {
    const { id } = await create(it.app, { name: 'Tea', price: 1 })
    await it.pool.query(`ALTER TABLE events ADD CONSTRAINT refuse CHECK (type <> 'product.deleted') NOT VALID`)
    try {
      expect((await request('DELETE', `/products/${id}`)).statusCode).toBe(500)
    } finally {
      await it.pool.query('ALTER TABLE events DROP CONSTRAINT refuse')
    }
    expect((await request('GET', `/products/${id}`)).statusCode).toBe(200)
    expect(await count('events')).toBe(1)
  })
})

test('a method that a path does not know is 405 with those that it knows', async () => {
  const [list, one] = [
    await it.app.inject({ method: 'PUT', url: '/products' }),
    await it.app.inject({ method: 'POST', url: `/products/${randomUUID()}`, body: {} }),
  ]
  expect([list.statusCode, list.headers.allow]).toEqual([405, 'GET, HEAD, POST'])
  expect([one.statusCode, one.headers.allow]).toEqual([405, 'DELETE, GET, HEAD, PATCH'])
})
