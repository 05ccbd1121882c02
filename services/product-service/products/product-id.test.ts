import { expect, test } from 'vitest'
import { isUuid, newProductId } from './product-id.ts'

test('an id holds the time it was made at, so ids and times are in one order', () => {
  const before = Date.now()
  const { id, created_at } = newProductId()
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  // The id's clock may round to the other side of a millisecond.
  expect(Date.parse(created_at)).toBeGreaterThanOrEqual(before - 1)
  expect(Date.parse(created_at)).toBeLessThanOrEqual(Date.now() + 1)
  const ids = Array.from({ length: 1000 }, newProductId)
  const byId = ids.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map((made) => made.created_at)
  expect(byId).toEqual(byId.toSorted())
})

test('only a whole UUID is one', () => {
  const { id } = newProductId()
  expect([id, id.toUpperCase()].map(isUuid)).toEqual([true, true])
  expect(['', '1', id.slice(1), `${id}0`, `${id}\n`, id.replaceAll('-', ''), `{${id}}`].some(isUuid)).toBe(false)
})
