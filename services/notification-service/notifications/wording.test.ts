import { type ProductEventType, productEvent } from '@product-events/contracts'
import { expect, test } from 'vitest'
import { wordingOf, wordingOfUnknown } from './wording.ts'

const product = {
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  name: 'Mug ☕',
  description: '',
  price: 12.5,
  version: 1,
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
}

test.each<[ProductEventType, string, string]>([
  ['product.created', 'Product created', '"Mug ☕" was created at 12.50'],
  ['product.updated', 'Product updated', '"Mug ☕" was updated and is now at 12.50'],
  ['product.deleted', 'Product deleted', '"Mug ☕" was deleted'],
])('%s is told in words, the price with two decimals', (type, title, message) => {
  expect(wordingOf(productEvent(type, product, { sequence: 1, time: product.updated_at }))).toEqual({ title, message })
})

test.each([
  [0, '0.00'],
  [0.1, '0.10'],
  [9999999999.99, '9999999999.99'],
])('a price of %d reads %s, at both ends of what a product may cost', (price, written) => {
  const event = productEvent('product.created', { ...product, price }, { sequence: 1, time: product.updated_at })
  expect(wordingOf(event).message).toBe(`"Mug ☕" was created at ${written}`)
})

test('an event of a type that nobody here knows is told as unknown, with its type and the reason', () => {
  const envelope = {
    ...productEvent('product.created', product, { sequence: 1, time: product.updated_at }),
    type: 'product.polished',
  }
  const { title, message } = wordingOfUnknown(envelope, 'unknown type product.polished')
  expect(title).toBe('Unknown event')
  expect(message).toContain('product.polished')
})
