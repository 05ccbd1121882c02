import { freshDatabase } from '@product-events/local'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { create, migrations, openTestApp, type Page, type TestApp } from '../testing/app.ts'

let it: TestApp
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
beforeEach(async () => {
  await it.pool.query('TRUNCATE products, events')
})
afterAll(() => it.close())

async function page(query: Record<string, string> = {}): Promise<Page> {
  const answer = await it.app.inject({ url: '/products', query })
  expect(answer.statusCode).toBe(200)
  return answer.json<Page>()
}

async function allPages(limit: number, betweenPages: (page: Page) => Promise<unknown> = () => Promise.resolve()) {
  const ids: string[] = []
  let next = await page({ limit: String(limit) })
  for (;;) {
    ids.push(...next.products.map((product) => product.id))
    if (next.next_page_token === null) return ids
    await betweenPages(next)
    next = await page({ limit: String(limit), token: next.next_page_token })
  }
}

/** Many at once: most share their millisecond with another. */
async function createMany(count: number): Promise<string[]> {
  const products = await Promise.all(
    Array.from({ length: count }, (_, n) => create(it.app, { name: `P${n}`, price: n })),
  )
  return products
    .map((product) => product.id)
    .toSorted()
    .toReversed()
}

test('an empty list is one page', async () => {
  expect(await page()).toEqual({ products: [], next_page_token: null })
})

test('the newest product comes first, with all that it has', async () => {
  const older = await create(it.app, { name: 'older', price: 0.1 })
  await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(older.created_at) + 1)
  const newer = await create(it.app, { name: 'newer', price: 9_999_999_999.99 })
  expect(await page()).toEqual({ products: [newer, older], next_page_token: null })
})

test('a page has 20 products unless asked for fewer or more, and the last page says that it is the last', async () => {
  const ids = await createMany(21)
  const first = await page()
  expect(first.products).toHaveLength(20)
  const second = await page({ token: first.next_page_token ?? '' })
  expect(second.products.map((product) => product.id)).toEqual(ids.slice(20))
  expect(second.next_page_token).toBeNull()
  expect((await page({ limit: '21' })).next_page_token).toBeNull()
  expect((await page({ limit: '1' })).products).toHaveLength(1)
  expect((await page({ limit: '100' })).products).toHaveLength(21)
})

test.each([1, 3, 7, 30])('pages of %d show each product once and in order, through ties', async (limit) => {
  const ids = await createMany(30)
  expect(await allPages(limit)).toEqual(ids)
})

test('a token still points behind its product after that was deleted, and what is new does not shift a page', async () => {
  const ids = await createMany(9)
  const seen = await allPages(3, async ({ products }) => {
    await it.app.inject({ method: 'DELETE', url: `/products/${products.at(-1)?.id}` })
    await create(it.app, { name: 'new', price: 1 })
  })
  expect(seen).toEqual(ids)
})

test('a page far behind is read through the primary key, like the first', async () => {
  await it.pool.query(
    `INSERT INTO products SELECT md5(n::text)::uuid, 'n', '', 1, 1, now(), now() FROM generate_series(1, 20000) AS n`,
  )
  await it.pool.query('ANALYZE products')
  const { rows } = await it.pool.query<{ 'QUERY PLAN': [{ Plan: object }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON)
     SELECT id, name, description, price, version, created_at, updated_at FROM products
     WHERE id < '0fffffff-ffff-ffff-ffff-ffffffffffff' ORDER BY id DESC LIMIT 21`,
  )
  expect(rows[0]?.['QUERY PLAN'][0].Plan).toMatchObject({
    'Node Type': 'Limit',
    Plans: [{ 'Node Type': 'Index Scan', 'Scan Direction': 'Backward', 'Actual Rows': 21 }],
  })
})

test.each([
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['limit=1.5', 'limit'],
  ['limit=ten', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['token=', 'token'],
  ['token=x', 'token'],
  ['token=a&token=b', 'token'],
  [`token=${'A'.repeat(5000)}`, 'token'],
  ['offset=3', 'offset'],
])('?%s is refused by name', async (query, field) => {
  const answer = await it.app.inject({ url: `/products?${query}` })
  expect(answer.statusCode).toBe(400)
  expect(answer.json()).toMatchObject({ errors: [{ field }] })
})
