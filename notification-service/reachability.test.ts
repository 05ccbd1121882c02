import { expect, test, vi } from 'vitest'
import { reachability } from './reachability.ts'

test('each change of state is told once, however many users fail and recover', () => {
  const lost = vi.fn<(reason: string) => void>()
  const back = vi.fn<(seconds: number) => void>()
  const database = reachability({ lost, back })

  database.worked()
  expect(back).not.toHaveBeenCalled()
  for (const reason of ['first', 'second', 'third']) database.failed(reason)
  expect(lost.mock.calls).toEqual([['first']])
  database.worked()
  database.worked()
  expect(back.mock.calls).toEqual([[0]])
  database.failed('again')
  expect(lost.mock.calls).toEqual([['first'], ['again']])
})
