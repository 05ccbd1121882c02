import { expect, test } from 'vitest'
import { groupKey, groupsOf, type Item } from './groups.ts'

function item(id: number, reason: string): Item {
  return {
    id: String(id),
    event_id: null,
    type: 'product.created',
    about: 'Tea',
    product: `p${id % 7}`,
    reason,
    attempts: 10,
    at: new Date(id),
  }
}

test('reasons that differ only in ids and numbers are one group; others are not', () => {
  const one = 'AccessDenied: request 3f0c1f8e-6a5b-4c3d-8e9f-0a1b2c3d4e5f took 12 ms'
  expect(groupKey(one)).toBe(groupKey('AccessDenied: request 01997c1e-0000-7c3d-8e9f-0a1b2c3d4e5f took 7.5 ms'))
  expect(groupKey(one)).not.toBe(groupKey('Throttled: request 3f0c1f8e-6a5b-4c3d-8e9f-0a1b2c3d4e5f took 12 ms'))
})

test('2,000 rows are grouped, the largest group first', () => {
  const rows = Array.from({ length: 2_000 }, (_, index) =>
    item(index, index % 4 === 0 ? `too large: ${index} bytes` : `Refused ${index}`),
  )
  const from = performance.now()
  const groups = groupsOf('events', rows)
  // Some milliseconds on a quiet machine.
  expect(performance.now() - from).toBeLessThan(1_000)
  expect(groups.map(({ count, can_redrive, products }) => ({ count, can_redrive, products }))).toEqual([
    { count: 1_500, can_redrive: true, products: 7 },
    { count: 500, can_redrive: false, products: 7 },
  ])
  expect(groups[0]?.items).toHaveLength(20)
})
