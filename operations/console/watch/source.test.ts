import { expect, test } from 'vitest'
import { createSource } from './source.ts'

test('a question that stays open for two seconds is silence, and its answer ends it', async () => {
  let now = 0
  let answer: (value: string) => void = () => {}
  const source = createSource(
    () => new Promise<string>((resolve) => (answer = resolve)),
    () => now,
  )
  expect(source.known()).toEqual({ kind: 'asking' })
  const asked = source.ask()
  now = 2_000
  expect(source.known()).toEqual({ kind: 'asking' })
  now = 2_001
  expect(source.known()).toMatchObject({ kind: 'silent', since: 0, reason: 'does not answer' })
  answer('here')
  await asked
  expect(source.known()).toEqual({ kind: 'answered', value: 'here', at: 2_001 })
})

test('one question at a time, and silence lasts from the first failure, with the last answer', async () => {
  let now = 0
  let asked = 0
  let fails = false
  const source = createSource(
    async () => {
      asked++
      if (fails) throw new Error('connect ECONNREFUSED')
      return asked
    },
    () => now,
  )
  await Promise.all([source.ask(), source.ask()])
  expect(asked).toBe(1)
  fails = true
  for (now = 10; now < 40; now += 10) await source.ask()
  expect(source.known()).toEqual({ kind: 'silent', since: 10, reason: 'connect ECONNREFUSED', last: 1 })
})
