/** What test_api.sh does, by a client made from the document: each call, answer and problem is typed. */
import assert from 'node:assert/strict'
import createClient, { type Client } from 'openapi-fetch'
import type { paths as NotificationPaths } from './dist/notification-service.ts'
import type { components, paths as ProductPaths } from './dist/product-service.ts'

type Problem = components['schemas']['Problem']
type Products = Client<ProductPaths>

const MERGE_PATCH = { 'Content-Type': 'application/merge-patch+json' }

/** Throws at the first answer that is not what the document promises. */
export async function tryProducts(baseUrl: string): Promise<void> {
  const products = createClient<ProductPaths>({ baseUrl })
  const first = await create(products, { name: 'Green tea', description: 'loose leaf', price: 4.5 })
  const second = await create(products, { name: 'Black tea', price: 0 })
  const third = await create(products, { name: 'Grüner Tee 🍵', price: 9_999_999_999.99 })
  assert.equal(second.description, '')
  assert.equal(third.price, 9_999_999_999.99)
  await list(products, [first.id, second.id, third.id])
  await getAndChange(products, first.id)
  await createOnce(products, `openapi-${first.id}`)
  await remove(products, first.id)
  await badRequests(products)
  for (const { id } of [second, third]) {
    const { response } = await products.DELETE('/products/{id}', { params: { path: { id } } })
    assert.equal(response.status, 204)
  }
}

async function create(products: Products, body: { name: string; description?: string; price: number }) {
  const { data, response } = await products.POST('/products', { body })
  assert.equal(response.status, 201)
  assert.ok(data)
  assert.equal(response.headers.get('location'), `/products/${data.id}`)
  assert.deepEqual([data.name, data.price, data.version], [body.name, body.price, 1])
  return data
}

async function list(products: Products, [first, second, third]: string[]): Promise<void> {
  const { data: page } = await products.GET('/products', { params: { query: { limit: 2 } } })
  assert.deepEqual(
    page?.products.map(({ id }) => id),
    [third, second],
  )
  const token = page?.next_page_token
  assert.ok(token)
  const { data: next } = await products.GET('/products', { params: { query: { limit: 2, token } } })
  assert.equal(next?.products[0]?.id, first)
}

async function getAndChange(products: Products, id: string): Promise<void> {
  const path = { id }
  const { data, response } = await products.GET('/products/{id}', { params: { path } })
  assert.deepEqual([data?.id, response.headers.get('etag')], [id, '"1"'])
  const unchanged = await products.GET('/products/{id}', { params: { path, header: { 'if-none-match': '"1"' } } })
  assert.equal(unchanged.response.status, 304)
  const changed = await products.PATCH('/products/{id}', { params: { path }, body: { price: 5 }, headers: MERGE_PATCH })
  assert.deepEqual([changed.data?.price, changed.data?.version], [5, 2])
  const emptied = await products.PATCH('/products/{id}', {
    params: { path, header: { 'if-match': '"2"' } },
    body: { description: null },
    headers: MERGE_PATCH,
  })
  assert.equal(emptied.data?.description, '')
  const late = await products.PATCH('/products/{id}', {
    params: { path, header: { 'if-match': '"2"' } },
    body: { price: 6 },
    headers: MERGE_PATCH,
  })
  isProblem(late.error, 412)
  const negative = await products.PATCH('/products/{id}', {
    params: { path },
    body: { price: -1 },
    headers: MERGE_PATCH,
  })
  isProblem(negative.error, 400)
}

async function createOnce(products: Products, key: string): Promise<void> {
  const once = (name: string) =>
    products.POST('/products', { params: { header: { 'idempotency-key': key } }, body: { name, price: 1 } })
  const first = await once('Once')
  const again = await once('Once')
  assert.equal(again.response.headers.get('idempotency-replayed'), 'true')
  assert.deepEqual(again.data, first.data)
  isProblem((await once('Twice')).error, 422)
  await products.DELETE('/products/{id}', { params: { path: { id: first.data?.id ?? '' } } })
}

async function remove(products: Products, id: string): Promise<void> {
  const path = { id }
  const late = await products.DELETE('/products/{id}', { params: { path, header: { 'if-match': '"2"' } } })
  isProblem(late.error, 412)
  const { response } = await products.DELETE('/products/{id}', { params: { path } })
  assert.equal(response.status, 204)
  isProblem((await products.GET('/products/{id}', { params: { path } })).error, 404)
  isProblem((await products.DELETE('/products/{id}', { params: { path } })).error, 404)
}

async function badRequests(products: Products): Promise<void> {
  const bad = [
    { name: 'Tea', price: 1, colour: 'green' },
    { price: 1 },
    { name: '', price: 1 },
    { name: 'Tea', price: -1 },
    { name: 'Tea', price: 1.234 },
    { name: 'Tea', price: '1' },
  ]
  for (const body of bad) {
    // The types forbid them: the service must do so too.
    const { error } = await products.POST('/products', { body: body as unknown as { name: string; price: number } })
    const { errors = [] } = isProblem(error, 400)
    assert.ok(errors.length > 0)
  }
  for (const query of [{ token: 'made-up' }, { limit: 0 }, { limit: 101 }])
    isProblem((await products.GET('/products', { params: { query } })).error, 400)
  isProblem((await products.GET('/products/{id}', { params: { path: { id: 'not-an-id' } } })).error, 404)
}

export async function tryNotifications(baseUrl: string): Promise<void> {
  const notifications = createClient<NotificationPaths>({ baseUrl })
  const { data } = await notifications.GET('/notifications', { params: { query: { limit: 1 } } })
  const id = data?.notifications[0]?.id
  assert.ok(id)
  const { data: one } = await notifications.GET('/notifications/{id}', { params: { path: { id } } })
  assert.equal(one?.id, id)
  const missing = await notifications.GET('/notifications/{id}', { params: { path: { id: 'none' } } })
  isProblem(missing.error, 404)
}

function isProblem(error: Problem | undefined, status: number): Problem {
  assert.equal(error?.status, status)
  return error
}
