import { freshDatabase } from '@product-events/local'
import type { Product } from '@product-events/contracts'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { create, migrations, openTestApp, type Page, type TestApp, untilAnswered } from '../testing/app.ts'
import { newCreation, writeCreations } from './create.ts'

let it: TestApp
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
beforeEach(async () => {
  await it.pool.query('TRUNCATE products, events')
})
afterAll(() => it.close())

const post = (body: object) => it.app.inject({ method: 'POST', url: '/products', body })
const names = async () =>
  (await it.pool.query<{ name: string }>('SELECT name FROM products')).rows.map((row) => row.name)
const eventNames = async () =>
  (await it.pool.query<{ name: string }>(`SELECT payload #>> '{data,name}' AS name FROM events ORDER BY id`)).rows.map(
    (row) => row.name,
  )

test('two hundred that arrive together are all written, each with its own event and its own answer', async () => {
  const before = it.nudges()
  const bodies = Array.from({ length: 200 }, (_, n) => ({ name: `P${n}`, description: `${n}`, price: n / 100 }))
  const answers = await Promise.all(bodies.map(post))
  expect(answers.map((answer) => answer.json<Product>())).toEqual(bodies.map((body) => expect.objectContaining(body)))
  const { rows } = await it.pool.query<{ payload: { data: Product } }>('SELECT payload FROM events')
  const told = new Map(rows.map(({ payload }) => [payload.data.id, payload.data]))
  for (const answer of answers) {
    expect(told.get(answer.json<Product>().id)).toEqual(answer.json())
    expect((await it.app.inject(answer.headers.location as string)).body).toBe(answer.body)
  }
  expect(rows).toHaveLength(200)
  // One for each commit, not for each product.
  expect(it.nudges() - before).toBeLessThan(100)
})

test('the products of a batch share one transaction with their events', async () => {
  await writeCreations(
    it.pool,
    [1, 2, 3].map((price) => newCreation({ name: 'Tea', price })),
  )
  const { rows } = await it.pool.query<{ products: number; transactions: number }>(
    `SELECT count(*)::int AS products, count(DISTINCT xmin::text)::int AS transactions
     FROM (SELECT xmin FROM products UNION ALL SELECT xmin FROM events) AS written`,
  )
  expect(rows).toEqual([{ products: 6, transactions: 1 }])
})

test('one product that PostgreSQL refuses fails alone, among whoever it came with', async () => {
  await it.pool.query(`ALTER TABLE products ADD CONSTRAINT refuse CHECK (name <> 'bad')`)
  try {
    const all = Array.from({ length: 40 }, (_, n) => (n % 20 === 7 ? 'bad' : `P${n}`))
    const answers = await Promise.all(all.map((name) => post({ name, price: 1 })))
    expect(answers.map((answer) => answer.statusCode)).toEqual(all.map((name) => (name === 'bad' ? 500 : 201)))
    const good = all.filter((name) => name !== 'bad').toSorted()
    expect((await names()).toSorted()).toEqual(good)
    expect((await eventNames()).toSorted()).toEqual(good)
  } finally {
    await it.pool.query('ALTER TABLE products DROP CONSTRAINT refuse')
  }
})

test('when the event of one can’t be written, its product is not there either, and the others are', async () => {
  await it.pool.query(`ALTER TABLE events ADD CONSTRAINT refuse CHECK (payload #>> '{data,name}' <> 'bad')`)
  try {
    const answers = await Promise.all(['a', 'bad', 'b'].map((name) => post({ name, price: 1 })))
    expect(answers.map((answer) => answer.statusCode)).toEqual([201, 500, 201])
    expect([await names(), await eventNames()]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  } finally {
    await it.pool.query('ALTER TABLE events DROP CONSTRAINT refuse')
  }
})

test('readers who ask together each get what they asked for', async () => {
  const products = await Promise.all([1, 2, 3].map((price) => create(it.app, { name: `P${price}`, price })))
  const newestFirst = products.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const asked = Array.from({ length: 30 }, (_, n) => products[n % 3] as Product)
  const [ones, none, pages] = await Promise.all([
    Promise.all(asked.map(({ id }) => it.app.inject(`/products/${id}`))),
    it.app.inject('/products/00000000-0000-7000-8000-000000000000'),
    Promise.all([1, 2, 1, 100].map((limit) => it.app.inject(`/products?limit=${limit}`))),
  ])
  expect(ones.map((answer) => answer.json<Product>())).toEqual(asked)
  expect(none.statusCode).toBe(404)
  expect(pages.map((answer) => answer.json<Page>().products)).toEqual(
    [1, 2, 1, 3].map((length) => newestFirst.slice(0, length)),
  )
})

test('who reads after a write was answered sees it, in the middle of other readers', async () => {
  const noise = new AbortController()
  const reading = Array.from({ length: 8 }, async () => {
    while (!noise.signal.aborted) await it.app.inject('/products')
  })
  for (let n = 0; n < 20; n++) {
    const { id } = await create(it.app, { name: `P${n}`, price: n })
    const [page, one] = await Promise.all([it.app.inject('/products?limit=1'), it.app.inject(`/products/${id}`)])
    expect(page.json<Page>().products[0]?.id).toBe(id)
    expect(one.statusCode).toBe(200)
    await it.app.inject({ method: 'PATCH', url: `/products/${id}`, body: { price: 99 } })
    expect((await it.app.inject(`/products/${id}`)).json()).toMatchObject({ price: 99, version: 2 })
  }
  noise.abort()
  await Promise.all(reading)
})

test('a product that a trigger of the operator refuses fails alone, whatever arrives with it', async () => {
  await it.pool.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
     AS $$ BEGIN IF new.name = 'bad' THEN RAISE EXCEPTION 'boom'; END IF; RETURN new; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON products FOR EACH ROW EXECUTE FUNCTION refuse()`,
  )
  const bodies = Array.from({ length: 40 }, (_, n) => ({ name: n % 4 === 0 ? 'bad' : `good ${n}`, price: 1 }))
  // On a busy machine so many halves may take longer than a request may.
  const answers = await Promise.all(bodies.map((body) => untilAnswered(() => post(body))))
  await it.pool.query('DROP FUNCTION refuse CASCADE')
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(bodies.map(({ name }) => (name === 'bad' ? 500 : 201)))
  expect(new Set(await names())).toEqual(new Set(bodies.map(({ name }) => name).filter((name) => name !== 'bad')))
})
