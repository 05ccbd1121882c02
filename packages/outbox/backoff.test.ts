import { expect, test } from 'vitest'
import { attemptBackoffMs } from './backoff.ts'

test('a refused event waits between half and all of a doubling second, at most five minutes', () => {
  expect([attemptBackoffMs(1, () => 0), attemptBackoffMs(1, () => 1)]).toEqual([500, 1_000])
  expect([attemptBackoffMs(4, () => 0), attemptBackoffMs(4, () => 1)]).toEqual([4_000, 8_000])
  expect([attemptBackoffMs(9, () => 1), attemptBackoffMs(10, () => 1)]).toEqual([256_000, 300_000])
})
