import { type Product, type ProductEvent, parseBody, productEvent } from '@product-events/contracts'
import { freshDatabase } from '@product-events/local'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { create, migrations, openTestApp, type TestApp, untilAnswered } from '../testing/app.ts'

/** Each takes two seconds on a quiet machine. */
vi.setConfig({ testTimeout: 120_000 })

let it: TestApp
beforeAll(async () => {
  it = openTestApp(await freshDatabase(inject('postgresUrl'), ...migrations))
})
afterAll(() => it.close())

const text = (limits: { minLength: number; maxLength: number }) =>
  fc.string({ unit: 'grapheme', ...limits }).filter((value) => !value.includes('\0') && value.isWellFormed())
const name = text({ minLength: 1, maxLength: 20 })
const description = text({ minLength: 0, maxLength: 40 })
const price = fc.oneof(fc.integer({ min: 0, max: 999_999_999_999 }), fc.integer({ min: 0, max: 1_000 }))
const product = fc.record({ name, description, price: price.map((cents) => cents / 100) })
const patch = fc.record(
  { name, description: fc.option(description), price: price.map((cents) => cents / 100) },
  { requiredKeys: [] },
)

async function eventsOf(id: string): Promise<ProductEvent[]> {
  const { rows } = await it.pool.query<{ payload: ProductEvent }>(
    'SELECT payload FROM public.events WHERE key = $1 ORDER BY id',
    [id],
  )
  return rows.map(({ payload }) => payload)
}

test('the events that SQL makes are those that TypeScript makes, for any product and patch', async () => {
  await fc.assert(
    fc.asyncProperty(product, fc.array(patch, { maxLength: 3 }), async (body, patches) => {
      const states: Product[] = [await create(it.app, body)]
      for (const change of patches) {
        const answer = await untilAnswered(() =>
          it.app.inject({ method: 'PATCH', url: `/products/${states[0]!.id}`, body: change }),
        )
        expect(answer.statusCode).toBe(200)
        const changed = answer.json<Product>()
        if (changed.version > states.at(-1)!.version) states.push(changed)
        else expect(changed).toEqual(states.at(-1))
      }
      const last = states.at(-1)!
      const deleted = await untilAnswered(() => it.app.inject({ method: 'DELETE', url: `/products/${last.id}` }))
      expect(deleted.statusCode).toBe(204)
      const events = await eventsOf(last.id)
      const expected = [
        ...states.map((state) =>
          productEvent(state.version === 1 ? 'product.created' : 'product.updated', state, {
            sequence: state.version,
            time: state.updated_at,
          }),
        ),
        productEvent('product.deleted', last, { sequence: last.version + 1, time: events.at(-1)!.time }),
      ]
      expect(events).toEqual(expected.map((event, index) => ({ ...event, id: events[index]?.id })))
      for (const event of events) expect(parseBody(JSON.stringify(event)).kind).toBe('event')
    }),
    { numRuns: 20, interruptAfterTimeLimit: 30_000 },
  )
})

test('changes at once are each made once: versions and events go up by one, whatever the default isolation', async () => {
  const database = new URL(it.databaseUrl).pathname.slice(1)
  for (const isolation of ['read committed', 'serializable']) {
    await it.pool.query(`ALTER DATABASE ${database} SET default_transaction_isolation = '${isolation}'`)
    await it.close()
    it = openTestApp(it.databaseUrl)
    const { id } = await create(it.app, { name: 'Tea', price: 1 })
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        untilAnswered(() => it.app.inject({ method: 'PATCH', url: `/products/${id}`, body: { price: n + 2 } })),
      ),
    )
    const versions = answers.map((answer) => answer.json<Product>().version).toSorted((a, b) => a - b)
    expect(versions).toEqual(Array.from({ length: 12 }, (_, n) => n + 2))
    const prices = answers.map((answer) => answer.json<Product>()).toSorted((a, b) => a.version - b.version)
    const events = (await eventsOf(id)).slice(1)
    expect(events.map(({ sequence }) => Number(sequence))).toEqual(versions)
    expect(events.map(({ data }) => data)).toEqual(prices)
  }
})

test('of changes that all ask for the same version one is made, and the others are 412', async () => {
  const { id } = await create(it.app, { name: 'Tea', price: 1 })
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      untilAnswered(() =>
        it.app.inject({
          method: 'PATCH',
          url: `/products/${id}`,
          headers: { 'if-match': '"1"' },
          body: { price: n + 2 },
        }),
      ),
    ),
  )
  const statuses = answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)
  expect(statuses).toEqual([200, ...Array<number>(7).fill(412)])
  expect(await eventsOf(id)).toHaveLength(2)
})
