import { randomUUID } from 'node:crypto'
import { parseBody, type Product } from '@product-events/contracts'
import { freshDatabase } from '@product-events/local'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { create, migrations, openTestApp, type TestApp, untilAnswered } from '../testing/app.ts'

let it: TestApp
let tea: Product
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
beforeEach(async () => {
  await it.pool.query('TRUNCATE products, events')
  it.logs.length = 0
  tea = await create(it.app, { name: 'Tea', description: 'Green', price: 1.5 })
})
afterAll(() => it.close())

type Headers = Record<string, string>
const patch = (id: string, body: unknown, headers: Headers = {}) =>
  it.app.inject({
    method: 'PATCH',
    url: `/products/${id}`,
    headers: { 'content-type': 'application/merge-patch+json', ...headers },
    body: JSON.stringify(body),
  })
const get = (id: string, headers: Headers = {}) => it.app.inject({ url: `/products/${id}`, headers })
const remove = (id: string, headers: Headers = {}) =>
  it.app.inject({ method: 'DELETE', url: `/products/${id}`, headers })
const counter = async (name: string) => (await it.registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0
const events = async () =>
  (
    await it.pool.query<{ type: string; payload: { sequence: string; data: Product } }>(
      'SELECT type, payload FROM events ORDER BY id',
    )
  ).rows

describe('PATCH /products/{id}', () => {
  test('changes what it names and nothing else, with a new version, ETag and event', async () => {
    const before = { nudges: it.nudges(), updated: await counter('products_updated_total') }
    const answer = await patch(tea.id, { price: 2.25 })
    const changed = answer.json<Product>()
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(answer.headers.etag).toBe('"2"')
    expect(changed).toEqual({ ...tea, price: 2.25, version: 2, updated_at: expect.any(String) as string })
    expect(Date.parse(changed.updated_at)).toBeGreaterThanOrEqual(Date.parse(tea.updated_at))
    expect((await get(tea.id)).body).toBe(answer.body)
    const [, event] = await events()
    expect(parseBody(JSON.stringify(event?.payload))).toMatchObject({
      kind: 'event',
      event: { type: 'product.updated', subject: tea.id, sequence: '2', time: changed.updated_at, data: changed },
    })
    expect(it.nudges()).toBe(before.nudges + 1)
    expect(await counter('products_updated_total')).toBe(before.updated + 1)
    expect(it.logs.find(({ msg }) => msg === 'product updated')).toMatchObject({ product_id: tea.id })
  })

  test.each([
    [
      { name: 'Coffee', description: 'Black', price: 0 },
      { name: 'Coffee', description: 'Black', price: 0 },
    ],
    [{ description: null }, { description: '' }],
    [{ description: '' }, { description: '' }],
    [{ name: '🍵'.repeat(200) }, { name: '🍵'.repeat(200) }],
  ])('%j is taken', async (body, expected) => {
    expect((await patch(tea.id, body)).json()).toEqual(
      expect.objectContaining({ ...tea, ...expected, version: 2, updated_at: expect.any(String) as string }),
    )
  })

  test.each([{}, { name: 'Tea' }, { name: 'Tea', description: 'Green', price: 1.5 }])(
    '%j changes nothing: no version, no event, no nudge, no count',
    async (body) => {
      const before = { nudges: it.nudges(), updated: await counter('products_updated_total') }
      const answer = await patch(tea.id, body)
      expect([answer.statusCode, answer.headers.etag, answer.json()]).toEqual([200, '"1"', tea])
      expect(await events()).toHaveLength(1)
      expect({ nudges: it.nudges(), updated: await counter('products_updated_total') }).toEqual(before)
    },
  )

  test('takes application/json as well, and POST takes no merge patch', async () => {
    expect((await patch(tea.id, { price: 3 }, { 'content-type': 'application/json' })).statusCode).toBe(200)
    const headers = { 'content-type': 'application/merge-patch+json' }
    const post = await it.app.inject({ method: 'POST', url: '/products', headers, body: '{"name":"a","price":1}' })
    expect(post.statusCode).toBe(415)
    expect((await patch(tea.id, { price: 3 }, { 'content-type': 'text/plain' })).statusCode).toBe(415)
  })

  test.each([
    [{ name: null }, 'name'],
    [{ name: '' }, 'name'],
    [{ price: null }, 'price'],
    [{ price: 0.001 }, 'price'],
    [{ price: '1' }, 'price'],
    [{ description: 'x'.repeat(2001) }, 'description'],
    [{ description: 1 }, 'description'],
    [{ description: 'a\0' }, 'description'],
    [{ id: randomUUID() }, 'id'],
    [{ version: 7 }, 'version'],
    [null, 'body'],
    [[], 'body'],
    ['name', 'body'],
  ])('%j is refused by name', async (body, field) => {
    const answer = await patch(tea.id, body)
    expect(answer.statusCode).toBe(400)
    expect(answer.json<{ errors: object[] }>().errors).toEqual([{ field, message: expect.any(String) as string }])
    expect(await events()).toHaveLength(1)
  })

  test('what is not there can’t be changed: 404, and If-Match does not change that', async () => {
    for (const id of [randomUUID(), 'x']) {
      expect((await patch(id, { price: 1 })).statusCode).toBe(404)
      expect((await patch(id, { price: 1 }, { 'if-match': '"1"' })).statusCode).toBe(404)
    }
  })

  test('if the event can’t be written, the product is as it was', async () => {
    await it.pool.query(`ALTER TABLE events ADD CONSTRAINT refuse CHECK (type <> 'product.updated') NOT VALID`)
    try {
      expect((await patch(tea.id, { price: 9 })).statusCode).toBe(500)
    } finally {
      await it.pool.query('ALTER TABLE events DROP CONSTRAINT refuse')
    }
    expect((await get(tea.id)).json()).toEqual(tea)
  })
})

describe('ETags', () => {
  test('a client that has the product is told so, and only then', async () => {
    const have = await get(tea.id, { 'if-none-match': '"7", W/"1"' })
    expect([have.statusCode, have.headers.etag, have.body]).toEqual([304, '"1"', ''])
    await patch(tea.id, { price: 2 })
    const changed = await get(tea.id, { 'if-none-match': '"1"' })
    expect([changed.statusCode, changed.headers.etag]).toEqual([200, '"2"'])
    expect((await get(tea.id, { 'if-match': '"1"' })).statusCode).toBe(412)
  })

  test.each(['PATCH', 'DELETE'] as const)('%s does nothing unless the preconditions hold', async (method) => {
    const change = (headers: Headers) =>
      method === 'PATCH' ? patch(tea.id, { name: method }, headers) : remove(tea.id, headers)
    for (const headers of [{ 'if-match': '"2"' }, { 'if-match': 'W/"1"' }, { 'if-none-match': '*' }]) {
      const answer = await change(headers)
      expect(answer.statusCode).toBe(412)
      expect(answer.json()).toMatchObject({ type: 'urn:problem-type:precondition-failed' })
    }
    const malformed = await change({ 'if-match': '1' })
    expect(malformed.statusCode).toBe(400)
    expect(malformed.json()).toMatchObject({ errors: [{ field: 'if-match' }] })
    expect((await get(tea.id)).json()).toEqual(tea)
    expect((await change({ 'if-match': '"0", "1"' })).statusCode).toBe(method === 'PATCH' ? 200 : 204)
    expect(await events()).toHaveLength(2)
  })

  test('of twenty that change the same version at once, one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => patch(tea.id, { price: n + 10 }, { 'if-match': '"1"' })),
    )
    const statuses = answers.map((answer) => answer.statusCode).toSorted((a, b) => a - b)
    expect(statuses).toEqual([200, ...Array<number>(19).fill(412)])
  })
})

test('many who change and one who deletes: no update is lost, and the sequence has no gap and no repeat', async () => {
  const other = openTestApp(it.databaseUrl)
  try {
    const changes = Array.from({ length: 60 }, (_, n) =>
      untilAnswered(() =>
        (n % 2 ? it : other).app.inject({ method: 'PATCH', url: `/products/${tea.id}`, body: { name: `Tea ${n}` } }),
      ),
    )
    const answers = await Promise.all(changes)
    expect(answers.every((answer) => answer.statusCode === 200)).toBe(true)
    const versions = answers.map((answer) => answer.json<Product>().version)
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n + 2))

    const late = [patch(tea.id, { name: 'late' }), remove(tea.id), patch(tea.id, { name: 'later' })]
    await Promise.all(late)
    const written = await events()
    expect(written.map((event) => event.payload.sequence)).toEqual(written.map((_, n) => String(n + 1)))
    expect(written.at(-1)?.type).toBe('product.deleted')
    // Each event carries what its own request was answered with.
    const byVersion = new Map(written.map(({ payload }) => [payload.data.version, payload.data]))
    for (const answer of answers) expect(byVersion.get(answer.json<Product>().version)).toEqual(answer.json())
  } finally {
    await other.close()
  }
})
