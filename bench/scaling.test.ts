import { expect, test } from 'vitest'
import { LANES, MONTH_S, needs, scalingBlocks } from './scaling.ts'

const measured = { changes: 4_000, published: 6_000, stored: 3_000 }

test('a quiet system needs one of each, and pays for each event three calls and for the asking in between', () => {
  const { services, relays, consumers, databases, calls, standard } = needs(1, measured)
  expect([services, relays, consumers, databases]).toEqual([1, 1, 1, 1])
  expect(calls).toBeCloseTo(3 + 1 / 3)
  expect(standard).toBeCloseTo(((3 + 1 / 3) * MONTH_S * 0.4) / 1e6)
})

test('processes are added when those that are there are busy half of the time', () => {
  expect(needs(2_000, measured).services).toBe(1)
  expect(needs(2_001, measured).services).toBe(2)
  expect(needs(1_500, measured).consumers).toBe(1)
  expect(needs(1_501, measured).consumers).toBe(2)
})

test('batches grow once events are more than the calls that can be made, and never beyond ten', () => {
  // A relay makes 600 calls a second, a consumer 300 receives.
  const single = needs(300, measured)
  expect(single.calls - single.consumers / 3).toBeCloseTo(3 * 300)
  const shared = needs(1_200, measured)
  expect(shared.calls - shared.consumers / 3).toBeCloseTo(1_200 / 2 + (2 * 1_200) / 4)
  for (const rate of [1e3, 1e5, 1e7]) expect(needs(rate, measured).calls).toBeGreaterThan((3 * rate) / 10)
})

test('requests of a month beyond 100 and 200 billion have their own price', () => {
  const { calls, standard, fifo } = needs(1e6, { changes: 1e9, published: 1e9, stored: 1e9 })
  const month = calls * MONTH_S
  expect(month).toBeGreaterThan(200e9)
  expect(standard).toBeCloseTo(1e5 * 0.4 + 1e5 * 0.3 + ((month - 200e9) / 1e6) * 0.24, 0)
  expect(fifo).toBeGreaterThan(standard)
})

test('no database is given more relays than it has lanes', () => {
  for (const rate of [1e3, 1e5, 1e7]) expect(needs(rate, measured).relaysPerDatabase).toBeLessThanOrEqual(LANES)
})

test('there is a row for each of 10^3, 10^5 and 10^7 changes a day, an hour and a second', () => {
  const rows = scalingBlocks(measured, 'x.json').get('needs')?.split('\n').slice(2) ?? []
  expect(rows).toHaveLength(9)
  expect(rows[0]).toContain('1,000 a day')
  expect(rows[8]).toContain('10,000,000 a second')
})
