import { expect, test } from 'vitest'
import { createPoll } from './poll.ts'

function testPoll(arrive = true) {
  const clock = { ms: 0, arrive }
  const poll = createPoll({ idleMs: 2_000, arrive: () => clock.arrive, now: () => clock.ms })
  return { clock, poll }
}

test('polls are frequent for two seconds from the first one on, or until the first wake-up: none may arrive before', () => {
  const { clock, poll } = testPoll()
  clock.ms = 60_000
  expect(poll.dueInMs()).toBe(0)
  poll.looked({ found: 0, woken: false })
  expect([poll.isBusy(), poll.dueInMs()]).toEqual([true, 25])
  clock.ms += 1_999
  expect(poll.isBusy()).toBe(true)
  clock.ms += 1
  expect(poll.isBusy()).toBe(false)

  const other = testPoll().poll
  other.looked({ found: 0, woken: false })
  other.looked({ found: 0, woken: true })
  expect([other.isBusy(), other.dueInMs()]).toEqual([false, 2_000])
})

test('while nothing comes the next poll is two seconds after the last one', () => {
  const { clock, poll } = testPoll()
  poll.looked({ found: 0, woken: false })
  clock.ms = 10_000
  poll.looked({ found: 0, woken: false })
  expect(poll.dueInMs()).toBe(2_000)
  clock.ms += 1_999
  expect(poll.dueInMs()).toBe(1)
})

test('what a poll finds makes polls frequent, until none has found anything for two seconds', () => {
  const { clock, poll } = testPoll()
  poll.looked({ found: 3, woken: false })
  expect(poll.dueInMs()).toBe(25)
  clock.ms += 1_975
  poll.looked({ found: 0, woken: false })
  expect(poll.isBusy()).toBe(true)
  expect(poll.dueInMs()).toBe(25)
  clock.ms += 25
  poll.looked({ found: 0, woken: false })
  expect(poll.isBusy()).toBe(false)
  expect(poll.dueInMs()).toBe(2_000)
})

test('a wake-up ends the frequent polls, and does not put off the idle one', () => {
  const { clock, poll } = testPoll()
  poll.looked({ found: 3, woken: false })
  clock.ms += 1_500
  poll.looked({ found: 3, woken: true })
  expect(poll.dueInMs()).toBe(500)
})

test('while wake-ups of others do not arrive, what the nudges of this process find keeps polls frequent', () => {
  const { clock, poll } = testPoll(false)
  poll.looked({ found: 0, woken: false })
  clock.ms = 10_000
  poll.looked({ found: 0, woken: false })
  expect(poll.isBusy()).toBe(false)
  poll.looked({ found: 1, woken: true })
  expect(poll.dueInMs()).toBe(25)
  clock.ms += 1_000
  poll.looked({ found: 0, woken: true })
  expect(poll.dueInMs()).toBe(25)
  clock.arrive = true
  poll.looked({ found: 1, woken: true })
  expect(poll.isBusy()).toBe(false)
})

test('a poll that is configured to be more frequent stays so', () => {
  const poll = createPoll({ idleMs: 10, arrive: () => true, now: () => 0 })
  poll.looked({ found: 1, woken: false })
  expect(poll.dueInMs()).toBe(10)
})
