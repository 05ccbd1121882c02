import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { type BatcherOptions, createBatcher } from './batcher.ts'

afterEach(() => void vi.useRealTimers())

class Refused extends Error {}
class BadItem extends Error {}

/** A batcher whose runs end when the test says so. */
function batcher(options: Partial<BatcherOptions<number, number>> = {}) {
  const runs: { items: number[]; end: () => void; fail: (error: Error) => void }[] = []
  const submit = createBatcher<number, number>({
    maxItems: 3,
    maxInFlight: 2,
    maxWaiting: 5,
    maxWaitMs: 60_000,
    refusal: () => new Refused(),
    isFaultOfOne: (error) => error instanceof BadItem,
    run: (items) =>
      new Promise((resolve, reject) =>
        runs.push({ items, end: () => resolve(items.map((item) => item * 10)), fail: reject }),
      ),
    ...options,
  })
  return { submit, runs }
}

test('a lone call starts at once', async () => {
  const { submit, runs } = batcher()
  const result = submit(1)
  await turn()
  expect(runs.map(({ items }) => items)).toEqual([[1]])
  runs[0]?.end()
  expect(await result).toBe(10)
})

test('calls that arrive together share runs, in order, as many in each as are allowed', async () => {
  const { submit, runs } = batcher({ maxWaiting: 8 })
  const results = [1, 2, 3, 4, 5, 6, 7].map(submit)
  await turn()
  expect(runs.map(({ items }) => items)).toEqual([
    [1, 2, 3],
    [4, 5, 6],
  ])
  runs[0]?.end()
  runs[1]?.end()
  await expect.poll(() => runs[2]?.items).toEqual([7])
  runs[2]?.end()
  expect(await Promise.all(results)).toEqual([10, 20, 30, 40, 50, 60, 70])
})

test('a run ends before the item with which its bytes would be too many; an item that is larger runs alone', async () => {
  const { submit, runs } = batcher({ maxInFlight: 1, maxItems: 5, bytes: { of: (item) => item, most: 10 } })
  const results = [4, 6, 1, 20, 3].map(submit)
  for (const expected of [[4, 6], [1], [20], [3]]) {
    await expect.poll(() => runs.at(-1)?.items).toEqual(expected)
    runs.at(-1)?.end()
  }
  expect(await Promise.all(results)).toEqual([40, 60, 10, 200, 30])
})

test('no call joins a run that has begun: it waits for its end, or for enough company to fill another', async () => {
  const { submit, runs } = batcher()
  const results = [submit(1)]
  await turn()
  results.push(submit(2), submit(3))
  await turn()
  expect(runs.map(({ items }) => items)).toEqual([[1]])
  results.push(submit(4), submit(5))
  await turn()
  expect(runs.map(({ items }) => items)).toEqual([[1], [2, 3, 4]])
  runs[0]?.end()
  expect(await results[0]).toBe(10)
  await turn()
  expect(runs).toHaveLength(2)
  runs[1]?.end()
  await expect.poll(() => runs[2]?.items).toEqual([5])
  runs[2]?.end()
  expect(await Promise.all(results)).toEqual([10, 20, 30, 40, 50])
})

test('one more than may wait is refused, and the others are served', async () => {
  const { submit, runs } = batcher({ maxInFlight: 1, maxItems: 1, maxWaiting: 2 })
  const served = [submit(1)]
  await turn()
  served.push(submit(2), submit(3))
  await expect(submit(4)).rejects.toBeInstanceOf(Refused)
  for (const index of [0, 1, 2]) {
    await expect.poll(() => runs).toHaveLength(index + 1)
    runs[index]?.end()
  }
  expect(await Promise.all(served)).toEqual([10, 20, 30])
})

test('what has waited too long is refused instead of run', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { submit, runs } = batcher({ maxInFlight: 1, maxItems: 1, maxWaitMs: 1_000 })
  const first = submit(1)
  await turn()
  const late = submit(2)
  vi.advanceTimersByTime(1)
  const inTime = submit(3)
  vi.advanceTimersByTime(1_000)
  runs[0]?.end()
  await expect(late).rejects.toBeInstanceOf(Refused)
  runs[1]?.end()
  expect([await first, await inTime]).toEqual([10, 30])
  expect(runs.map(({ items }) => items)).toEqual([[1], [3]])
})

test('an error of the whole is that of everybody in the run, of nobody else, and is not tried again', async () => {
  const { submit, runs } = batcher()
  const settled = Promise.allSettled([1, 2, 3, 4].map(submit))
  await turn()
  runs[0]?.fail(new Error('connection lost'))
  await expect.poll(() => runs[1]?.items).toEqual([4])
  runs[1]?.end()
  const outcomes = await settled
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled'])
  await turn()
  expect(runs).toHaveLength(2)
})

test('whatever arrives when, and whoever is bad: each call gets its own answer, once, and limits hold', async () => {
  const arrival = fc.record({ bad: fc.boolean(), pause: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 3 }),
      async (arrivals, maxItems, maxInFlight) => {
        let inFlight = 0
        const done: number[] = []
        const submit = createBatcher<number, number>({
          maxItems,
          maxInFlight,
          maxWaiting: 1_000,
          maxWaitMs: 60_000,
          refusal: () => new Refused(),
          isFaultOfOne: (error) => error instanceof BadItem,
          async run(items) {
            expect(items.length).toBeLessThanOrEqual(maxItems)
            expect(++inFlight).toBeLessThanOrEqual(maxInFlight)
            await turn()
            inFlight--
            if (items.some((item) => arrivals[item]?.bad)) throw new BadItem()
            done.push(...items)
            return items.map((item) => item * 10)
          },
        })
        const calls: Promise<number | 'bad'>[] = []
        for (const [index, { pause }] of arrivals.entries()) {
          calls.push(submit(index).catch((error: Error) => (error instanceof BadItem ? 'bad' : Promise.reject(error))))
          if (pause) await turn()
        }
        const expected = arrivals.map(({ bad }, index) => (bad ? 'bad' : index * 10))
        expect(await Promise.all(calls)).toEqual(expected)
        const good = arrivals.flatMap(({ bad }, index) => (bad ? [] : [index]))
        expect(done.toSorted((a, b) => a - b)).toEqual(good)
      },
    ),
    { numRuns: 100 },
  )
})
