import { afterEach, expect, test, vi } from 'vitest'
import { createOutageWatch } from './outage-watch.ts'

afterEach(() => void vi.useRealTimers())

test('each change of state is told once, however many users fail and recover', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const lost = vi.fn<(reason: string) => void>()
  const back = vi.fn<(awayMs: number) => void>()
  const database = createOutageWatch({ lost, back })

  database.worked()
  expect(back).not.toHaveBeenCalled()
  for (const reason of ['first', 'second', 'third']) {
    database.failed(reason)
    vi.advanceTimersByTime(500)
  }
  expect(lost.mock.calls).toEqual([['first']])
  database.worked()
  database.worked()
  expect(back.mock.calls).toEqual([[1_500]])
  database.failed('again')
  expect(lost.mock.calls).toEqual([['first'], ['again']])
})
