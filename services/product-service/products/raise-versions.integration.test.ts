import { parseBody, type ProductEvent } from '@product-events/contracts'
import { freshDatabase } from '@product-events/local'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { create, migrations, openTestApp, type TestApp } from '../testing/app.ts'
import { raiseVersions } from './raise-versions.ts'

let it: TestApp
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
afterAll(() => it.close())

const events = async () =>
  (await it.pool.query<{ payload: ProductEvent }>('SELECT payload FROM events ORDER BY id')).rows.map(
    ({ payload }) => payload,
  )
const change = (id: string, price: number) =>
  it.app.inject({
    method: 'PATCH',
    url: `/products/${id}`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { price },
  })

/**
 * A consumer that keeps the last state of each product and drops every event whose sequence is not above the last one.
 */
function guardedConsumer() {
  const states = new Map<string, { sequence: number; price: number }>()
  return {
    states,
    take(all: ProductEvent[]) {
      for (const { subject, sequence, data } of all) {
        if (Number(sequence) > (states.get(subject)?.sequence ?? 0))
          states.set(subject, { sequence: Number(sequence), price: data.price })
      }
    },
  }
}

test('after a restore to an earlier state a consumer that guards by sequence has the state of the database again', async () => {
  const consumer = guardedConsumer()
  const { id } = await create(it.app, { name: 'Tea', price: 1 })
  // More products than one transaction changes.
  await it.pool.query(
    `INSERT INTO products (id, name, description, price, version, created_at, updated_at)
     SELECT gen_random_uuid(), 'Cup', '', 5, 1, now(), now() FROM generate_series(1, 600)`,
  )
  for (const price of [2, 3, 4]) expect((await change(id, price)).statusCode).toBe(200)
  consumer.take(await events())
  expect(consumer.states.get(id)).toEqual({ sequence: 4, price: 4 })

  // The database goes back to the state before the changes; their events were published, and are gone here.
  await it.pool.query(`UPDATE products SET version = 1, price = 1 WHERE id = $1`, [id])
  await it.pool.query(`DELETE FROM events WHERE type = 'product.updated'`)
  await change(id, 7)
  consumer.take(await events())
  expect(consumer.states.get(id), 'the new price is dropped').toEqual({ sequence: 4, price: 4 })

  const progress: number[] = []
  const raised = await raiseVersions(it.pool, 1_000, {
    signal: new AbortController().signal,
    onProgress: (count) => progress.push(count),
  })
  expect([raised, ...progress]).toEqual([601, 500, 601])
  const all = await events()
  for (const event of all) expect(parseBody(JSON.stringify(event))).toMatchObject({ kind: 'event' })
  consumer.take(all)
  expect(consumer.states.get(id)).toEqual({ sequence: 1_002, price: 7 })
  expect(consumer.states.size).toBe(601)
  await change(id, 8)
  consumer.take(await events())
  expect(consumer.states.get(id)).toEqual({ sequence: 1_003, price: 8 })
})
