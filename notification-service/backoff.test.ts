import { expect, test } from 'vitest'
import { backoff } from './backoff.ts'

const latest = () => 1
const earliest = () => 0

test('the longest wait doubles with every failure, from 200 ms', () => {
  expect([1, 2, 3, 4].map((failures) => backoff(failures, latest))).toEqual([200, 400, 800, 1600])
})

test('no wait is longer than 30 s, however long the outage', () => {
  expect(backoff(8, latest)).toBe(25_600)
  expect(backoff(9, latest)).toBe(30_000)
  expect(backoff(100_000, latest)).toBe(30_000)
})

test('the jitter is full: a wait may be anything down to nothing', () => {
  expect(backoff(5, earliest)).toBe(0)
})
