import { expect, test } from 'vitest'
import { outageBackoffMs } from './backoff.ts'
import { repeat } from './repeat.ts'
import { createRest } from './rest.ts'

test('pauses grow from 100 ms to the cap, between nothing and all of it', () => {
  expect([1, 2, 3, 5, 6, 50].map((failures) => outageBackoffMs(failures, 2_000, () => 1))).toEqual([
    100, 200, 400, 1_600, 2_000, 2_000,
  ])
  expect(outageBackoffMs(9, 2_000, () => 0)).toBe(0)
})

test('after a failure there is a pause, also when the jitter is nothing, and a success ends it', () => {
  const told: string[] = []
  const rest = createRest({ lost: (reason) => told.push(reason), back: () => told.push('back') })
  for (let n = 0; n < 20; n++) {
    rest.failed('refused')
    expect(rest.pauseMs()).toBeGreaterThan(0)
  }
  expect(rest.isAway()).toBe(true)
  rest.worked()
  expect(rest.pauseMs()).toBe(0)
  expect(told).toEqual(['refused', 'back'])
})

test('a pass that asks for no pause does not keep the event loop from turning, and a failed pass is told', async () => {
  const stop = new AbortController()
  const errors: unknown[] = []
  let passes = 0
  const stopWhenSome = () => void (passes > 3 ? stop.abort() : setTimeout(stopWhenSome, 1))
  stopWhenSome()
  await repeat({
    pass: () => (++passes % 2 ? Promise.resolve(0) : Promise.reject(new Error('no'))),
    retryMs: 0,
    onFailed: (error) => errors.push(error),
    signal: stop.signal,
  })
  expect(errors.length).toBe(Math.floor(passes / 2))
})
