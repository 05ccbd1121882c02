import { expect, test } from 'vitest'
import { attemptBackoffMs, outageBackoffMs } from './backoff.ts'

test('a refused event waits between half and all of a doubling second, at most five minutes', () => {
  expect([attemptBackoffMs(1, () => 0), attemptBackoffMs(1, () => 1)]).toEqual([500, 1_000])
  expect([attemptBackoffMs(4, () => 0), attemptBackoffMs(4, () => 1)]).toEqual([4_000, 8_000])
  expect([attemptBackoffMs(9, () => 1), attemptBackoffMs(10, () => 1)]).toEqual([256_000, 300_000])
})

test('an outage is retried between at once and a doubling 100 ms, at most 30 s however long it lasts', () => {
  expect([outageBackoffMs(1, () => 0), outageBackoffMs(1, () => 1)]).toEqual([0, 100])
  expect([outageBackoffMs(9, () => 1), outageBackoffMs(10, () => 1)]).toEqual([25_600, 30_000])
  expect(outageBackoffMs(10_000, () => 1)).toBe(30_000)
})
