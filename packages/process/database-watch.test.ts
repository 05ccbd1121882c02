import { expect, onTestFinished, test, vi } from 'vitest'
import { createDatabaseWatch } from './database-watch.ts'

function watched() {
  const lines: string[] = []
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const state = { works: false }
  const say = (name: string) => (reason: string | number) => void lines.push(`${name}: ${reason}`)
  const watch = createDatabaseWatch({
    works: () => Promise.resolve(state.works),
    log: {
      databaseLost: say('lost'),
      loginRefused: say('login'),
      databaseNeedsOperator: say('operator'),
      databaseBack: () => void lines.push('back'),
    },
    stopping: stop.signal,
  })
  const fail = (code: string) => watch.failed(Object.assign(new Error(code), { code }), code)
  return { lines, state, fail }
}

test('an outage is one line, and its end is one, however many requests it fails', async () => {
  const { lines, state, fail } = watched()
  for (const code of ['57P01', 'ECONNREFUSED', 'ECONNREFUSED', '57P03']) fail(code)
  expect(lines).toEqual(['lost: 57P01'])
  state.works = true
  await vi.waitFor(() => expect(lines).toEqual(['lost: 57P01', 'back']), 10_000)
})

test('a database that comes back read-only, as after a failover, is one line more, and a second such fault none', () => {
  const { lines, fail } = watched()
  for (const code of ['57P01', '25006', '25006', '42501']) fail(code)
  expect(lines).toEqual(['lost: 57P01', 'operator: 25006'])
})

test('a database that is read-only from the first request on is one line', () => {
  const { lines, fail } = watched()
  for (const code of ['25006', '25006', '57P01']) fail(code)
  expect(lines).toEqual(['lost: 25006'])
})
