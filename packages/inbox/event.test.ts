import fc from 'fast-check'
import { expect, test } from 'vitest'
import { contentHash, inSequence, type InboxEvent } from './event.ts'

const event = (change: Partial<InboxEvent> = {}): InboxEvent => ({
  id: '1',
  type: 'order.paid',
  key: 'order-7',
  sequence: '1',
  payload: { order: 'order-7', lines: [{ piece: 1, price: 2.5 }, null] },
  ...change,
})

test('the same content has the same hash, whatever the id and the order of its fields', () => {
  const reordered = { lines: [{ price: 2.5, piece: 1 }, null], order: 'order-7' }
  expect(contentHash(event({ id: 'other', payload: reordered }))).toBe(contentHash(event()))
  expect(contentHash(event())).toMatch(/^-?\d{1,19}$/)
})

test.each([
  { type: 'order.cancelled' },
  { key: 'order-8' },
  { sequence: '2' },
  { payload: { order: 'order-7', lines: [null, { piece: 1, price: 2.5 }] } },
  { payload: { order: 'order-7', lines: [{ piece: '1', price: 2.5 }, null] } },
  { payload: null },
])('other content has another hash: %j', (change) => {
  expect(contentHash(event(change))).not.toBe(contentHash(event()))
})

test('any JSON has a hash that survives a round trip through JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (payload) => {
      const again = JSON.parse(JSON.stringify(payload)) as unknown
      expect(contentHash(event({ payload: again }))).toBe(contentHash(event({ payload })))
    }),
  )
})

test('events of a key are in the order of their sequence, in the places of that key; none is lost', () => {
  const one = fc.record({ key: fc.constantFrom('a', 'b', 'c'), sequence: fc.bigInt({ min: 1n, max: 10n ** 18n }) })
  fc.assert(
    fc.property(fc.array(one), (all) => {
      const events = all.map(({ key, sequence }, index) =>
        event({ id: String(index), key, sequence: String(sequence) }),
      )
      const sorted = inSequence(events, (item) => item)
      expect(sorted.map(({ key }) => key)).toEqual(events.map(({ key }) => key))
      expect(new Set(sorted)).toEqual(new Set(events))
      for (const key of ['a', 'b', 'c']) {
        const sequences = sorted.filter((item) => item.key === key).map((item) => BigInt(item.sequence ?? ''))
        expect(sequences.every((sequence, index) => index === 0 || sequences[index - 1]! <= sequence)).toBe(true)
      }
    }),
  )
})
