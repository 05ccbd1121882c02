import { expect, test } from 'vitest'
import { append, createOutbox, type Transaction } from './index.ts'

interface ShopEvents {
  'order.paid': { orderId: number }
  'order.cancelled': { orderId: number; reason: string }
}
const shop = createOutbox<ShopEvents>({ schema: 'it"s' })
const statements: { text: string; values: unknown[] }[] = []
const tx: Transaction = { query: async (text, values) => void statements.push({ text, values }) }

test('an event has the payload of its type; an id is made where none is given; the schema is quoted', async () => {
  await shop.append(tx, [
    { key: 'order-7', type: 'order.paid', payload: { orderId: 7 } },
    { key: 'order-7', type: 'order.cancelled', payload: { orderId: 7, reason: 'late' }, headers: { a: 'b' } },
  ])
  expect(statements[0]?.text).toContain('INSERT INTO "it""s".events')
  const events = JSON.parse(String(statements[0]?.values[0])) as { id: string; payload: unknown }[]
  for (const { id } of events) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  expect(events.map(({ payload }) => payload)).toEqual([{ orderId: 7 }, { orderId: 7, reason: 'late' }])
})

test('a misspelt type, a wrong payload and that of another type do not compile', () => {
  const mistakes = () => {
    // @ts-expect-error there is no such type
    void shop.append(tx, [{ key: 'a', type: 'order.payed', payload: { orderId: 7 } }])
    // @ts-expect-error the payload has a number
    void shop.append(tx, [{ key: 'a', type: 'order.paid', payload: { orderId: '7' } }])
    // @ts-expect-error this type has a reason
    void shop.append(tx, [{ key: 'a', type: 'order.cancelled', payload: { orderId: 7 } }])
    // @ts-expect-error the transaction comes first and is required
    void shop.append([{ key: 'a', type: 'order.paid', payload: { orderId: 7 } }])
    // @ts-expect-error an event has a key
    void shop.append(tx, [{ type: 'order.paid', payload: { orderId: 7 } }])
  }
  expect(mistakes).toBeTypeOf('function')
})

test.each([undefined, () => 1, Symbol('x')])('a payload that JSON can not hold is refused: %s', async (payload) => {
  const events = [{ key: 'a', type: 'x', payload }]
  await expect(append(tx, events)).rejects.toThrow(/^payload of event .* must be something that JSON can hold/)
})
