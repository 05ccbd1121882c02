import { randomBytes } from 'node:crypto'
import { freshDatabase } from '@product-events/local'
import type { Product } from '@product-events/contracts'
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { migrations, openTestApp, type TestApp } from '../testing/app.ts'

let it: TestApp
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
beforeEach(async () => {
  await it.pool.query('TRUNCATE products, events')
  it.logs.length = 0
})
afterAll(() => it.close())

const newTrace = () => ({
  traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
})
const post = (name: string, headers: Record<string, string>) =>
  it.app.inject({ method: 'POST', url: '/products', headers, body: { name, price: 1 } })
const eventsOf = async (): Promise<Map<string, unknown>> => {
  const { rows } = await it.pool.query<{ name: string; headers: object }>(
    `SELECT type || ' ' || (payload #>> '{data,name}') AS name, headers FROM events`,
  )
  return new Map(rows.map(({ name, headers }) => [name, headers]))
}

test('of thirty requests that share a statement each event carries the trace of its own', async () => {
  const traces = Array.from({ length: 30 }, newTrace)
  await Promise.all(traces.map((trace, n) => post(`P${n}`, { ...trace, tracestate: `shop=${n}` })))
  const events = await eventsOf()
  for (const [n, trace] of traces.entries())
    expect(events.get(`product.created P${n}`)).toEqual({ ...trace, tracestate: `shop=${n}` })
})

test('the events of a change, of a delete and of a creation with a key carry the trace of their request, and their log lines its id', async () => {
  const [created, updated, deleted] = [newTrace(), newTrace(), newTrace()]
  const { id } = (await post('Tea', { ...created, 'idempotency-key': 'one' })).json<Product>()
  const url = `/products/${id}`
  await it.app.inject({ method: 'PATCH', url, headers: updated, body: { price: 2 } })
  await it.app.inject({ method: 'DELETE', url, headers: deleted })
  expect(Object.fromEntries(await eventsOf())).toEqual({
    'product.created Tea': created,
    'product.updated Tea': updated,
    'product.deleted Tea': deleted,
  })
  const expected = [created, updated, deleted].flatMap(({ traceparent }) => [traceparent, traceparent])
  expect(it.logs.map((line) => line.trace_id)).toEqual(expected.map((traceparent) => traceparent.split('-')[1]))
})

test('a request outside any trace, or with a malformed one, leaves no header', async () => {
  await post('None', {})
  await post('Malformed', { traceparent: '00-0-0-00' })
  expect([...(await eventsOf()).values()]).toEqual([{}, {}])
})
