import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sampled } from './sampled.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('one sample serves all who ask at once and for 5 seconds, and then the next one is taken', async () => {
  const take = vi.fn<() => Promise<number>>().mockResolvedValueOnce(1).mockResolvedValueOnce(2)
  const sample = sampled(take, NaN)
  expect(await Promise.all([sample(), sample()])).toEqual([1, 1])
  vi.advanceTimersByTime(4_999)
  expect(await sample()).toBe(1)
  vi.advanceTimersByTime(1)
  expect(await sample()).toBe(2)
  expect(take).toHaveBeenCalledTimes(2)
})

test('a sample that fails is unknown for 5 seconds, and then asked for again', async () => {
  const take = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce(3)
  const sample = sampled(take, NaN)
  expect(await sample()).toBeNaN()
  vi.advanceTimersByTime(4_999)
  expect(await sample()).toBeNaN()
  vi.advanceTimersByTime(1)
  expect(await sample()).toBe(3)
})

test('while a sample takes more than a second the one before it is given, and what failed at last is unknown', async () => {
  const { promise: slow, reject } = Promise.withResolvers<number>()
  const sample = sampled(vi.fn<() => Promise<number>>().mockResolvedValueOnce(1).mockReturnValueOnce(slow), NaN)
  expect(await sample()).toBe(1)
  vi.advanceTimersByTime(5_000)
  const asked = sample()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await asked).toBe(1)
  reject(new Error('the query took too long'))
  await vi.advanceTimersByTimeAsync(0)
  expect(await sample()).toBeNaN()
})

test('what takes half a second is taken every ten seconds at most', async () => {
  const take = vi.fn<() => Promise<number>>(async () => {
    await new Promise((resolve) => setTimeout(resolve, 500))
    return 1
  })
  const sample = sampled(take, NaN)
  const first = sample()
  await vi.advanceTimersByTimeAsync(500)
  await first
  await vi.advanceTimersByTimeAsync(9_999)
  await sample()
  expect(take).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(1)
  const second = sample()
  await vi.advanceTimersByTimeAsync(500)
  expect(await second).toBe(1)
  expect(take).toHaveBeenCalledTimes(2)
})

test('a sample that was slow stands for half a minute at most', async () => {
  const slow = new Promise<number>((resolve) => setTimeout(resolve, 5_000, 1))
  const sample = sampled(vi.fn<() => Promise<number>>().mockReturnValueOnce(slow).mockResolvedValueOnce(2), NaN)
  void sample()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(await sample()).toBe(1)
  await vi.advanceTimersByTimeAsync(30_000)
  const second = sample()
  await vi.advanceTimersByTimeAsync(0)
  expect(await second).toBe(2)
})
