import { expect, test } from 'vitest'
import { quantile, summarise } from './statistics.ts'

test('the median of an even number of values lies between the two in the middle', () => {
  expect(summarise([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 })
  expect(summarise([10, 2, 9])).toEqual({ median: 9, min: 2, max: 10 })
})

test('a quantile between two ranks is interpolated', () => {
  expect(quantile([0, 10], 0.99)).toBeCloseTo(9.9)
  expect(quantile([5], 0.5)).toBe(5)
})
