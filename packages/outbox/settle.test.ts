import { expect, test } from 'vitest'
import type { OutboxEvent } from './send.ts'
import { MAX_ATTEMPTS, rejection } from './settle.ts'

function refusedBefore(attempts: number): OutboxEvent {
  const [id, createdAt] = ['1', new Date(0)]
  return { id, eventId: id, key: id, lane: 0, type: 't', payload: '{}', headers: {}, attempts, redriven: 0, createdAt }
}
const refused = { kind: 'refused', reason: 'no' } as const

test('the last attempt but one leaves an event failed, the last one dead', () => {
  expect(rejection(refusedBefore(MAX_ATTEMPTS - 2), refused)).toMatchObject({ status: 'failed', attempts: 9 })
  expect(rejection(refusedBefore(MAX_ATTEMPTS - 1), refused)).toMatchObject({
    status: 'dead',
    attempts: 10,
    delayMs: 0,
  })
})

test('another broker may have other retries', () => {
  const retries = { maxAttempts: 40, longestPauseMs: 3_600_000 }
  const late = rejection(refusedBefore(38), refused, retries)
  expect(late).toMatchObject({ status: 'failed', attempts: 39 })
  expect(late.delayMs).toBeGreaterThanOrEqual(1_800_000)
  expect(late.delayMs).toBeLessThanOrEqual(3_600_000)
  expect(rejection(refusedBefore(39), refused, retries)).toMatchObject({ status: 'dead', attempts: 40 })
})

test('a postponed event loses no attempt, whatever the number of its attempts', () => {
  const postponed = { kind: 'postponed', reason: 'busy', delayMs: 1_500 } as const
  for (const attempts of [0, MAX_ATTEMPTS - 1])
    expect(rejection(refusedBefore(attempts), postponed)).toMatchObject({ status: 'failed', attempts, delayMs: 1_500 })
})
