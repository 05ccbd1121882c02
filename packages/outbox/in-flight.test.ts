import { expect, test } from 'vitest'
import { createInFlight } from './in-flight.ts'

test('calls in flight follow the round trip of the broker, between their bounds', () => {
  const answeredAfter = (ms: number) => {
    const inFlight = createInFlight(8, 128)
    inFlight.answered(ms)
    return inFlight.limit()
  }
  expect(createInFlight(8, 128).limit(), 'before the first answer').toBe(8)
  expect(answeredAfter(1)).toBe(8)
  expect(answeredAfter(12.5)).toBe(8)
  expect(answeredAfter(25)).toBe(16)
  expect(answeredAfter(100)).toBe(64)
  expect(answeredAfter(5_000)).toBe(128)
})

test('calls that are slow because the process is busy do not add to it, and a broker that moves away is noticed', () => {
  const inFlight = createInFlight(8, 128)
  inFlight.answered(5)
  for (let call = 0; call < 60; call++) inFlight.answered(100)
  expect(inFlight.limit(), 'the shortest one counts').toBe(8)
  for (let call = 0; call < 100; call++) inFlight.answered(100)
  expect(inFlight.limit()).toBe(64)
})
