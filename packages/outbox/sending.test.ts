import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createHold } from './hold.ts'
import type { OutboxEvent, Outcome, SendResult } from './send.ts'
import { createJudge, createSending } from './sending.ts'
import { QUEUE_RETRIES } from './settle.ts'
import { sentEvent } from './testing/sent-event.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

const MINUTE_MS = 60_000
const event = (id: string) => sentEvent(id)
const notTaken: Outcome = { kind: 'not-taken', reason: 'InternalError' }

/** A broker that fails at event 1, through no fault of it, and accepts the others. */
function judgeOf(accepts: (id: string) => boolean) {
  const send = (events: readonly OutboxEvent[]) => {
    const outcomes = events.map(({ id }) => [id, accepts(id) ? { kind: 'accepted' } : notTaken] as [string, Outcome])
    return Promise.resolve({ outcomes: new Map(outcomes) })
  }
  const judge = createJudge(send)
  return { send: (batch: OutboxEvent[]) => judge.send(batch, () => true) }
}

test('an event that the broker fails at is postponed for as long as it takes, and loses no attempt', async () => {
  const judge = judgeOf((id) => id !== '1')
  for (let minute = 0; minute < 60; minute += 5) {
    const { outcomes, outage } = await judge.send([event('1'), event('2')])
    expect(outage).toBeUndefined()
    expect(outcomes.get('1')).toMatchObject({ kind: 'postponed', reason: 'InternalError' })
    vi.advanceTimersByTime(5 * MINUTE_MS)
  }
})

test('after an hour in which others of the same sends were accepted, it is to blame itself', async () => {
  const judge = judgeOf((id) => id !== '1')
  await judge.send([event('1'), event('2')])
  vi.advanceTimersByTime(59 * MINUTE_MS)
  expect((await judge.send([event('1'), event('2')])).outcomes.get('1')).toMatchObject({ kind: 'postponed' })
  vi.advanceTimersByTime(2 * MINUTE_MS)
  expect((await judge.send([event('1'), event('2')])).outcomes.get('1')).toEqual({
    kind: 'refused',
    reason: 'InternalError',
  })
  // Alone it is never to blame: nothing shows that the broker takes events at all.
  expect((await judge.send([event('1')])).outcomes.get('1')).toMatchObject({ kind: 'postponed' })
})

test('an event that is accepted meanwhile is no suspect any more', async () => {
  let well = false
  const judge = judgeOf((id) => id !== '1' || well)
  await judge.send([event('1'), event('2')])
  vi.advanceTimersByTime(59 * MINUTE_MS)
  well = true
  await judge.send([event('1'), event('2')])
  well = false
  vi.advanceTimersByTime(5 * MINUTE_MS)
  expect((await judge.send([event('1'), event('2')])).outcomes.get('1')).toMatchObject({ kind: 'postponed' })
})

test('a broker that fails at every event of a send has an outage', async () => {
  const judge = judgeOf(() => false)
  const { outcomes, outage } = await judge.send([event('1'), event('2')])
  expect([outcomes.size, outage]).toEqual([0, 'InternalError'])
})

test('after an outage one batch goes first, and each that is accepted doubles what may follow', async () => {
  const hold = createHold()
  hold.add(Array.from({ length: 40 }, (_, n) => sentEvent(String(n))))
  const calls: { events: readonly OutboxEvent[]; answer: (result: SendResult) => void }[] = []
  const sending = createSending({
    send: (events) => new Promise((answer) => calls.push({ events, answer })),
    lease: { maySend: () => true },
    hold,
    batchSize: 2,
    inFlight: 4,
    retries: QUEUE_RETRIES,
    onSent: (accepted) => accepted.forEach(hold.accepted),
  })
  /** Answers all sends that are under way. Resolves with their number once those that follow are under way. */
  async function answerAll(kind: 'accepted' | 'outage'): Promise<number> {
    const underWay = calls.splice(0)
    for (const { events, answer } of underWay) {
      const outcomes = new Map(events.map(({ id }) => [id, { kind: 'accepted' as const }]))
      answer(kind === 'accepted' ? { outcomes } : { outcomes: new Map(), outage: 'the broker is unreachable' })
    }
    await expect.poll(() => sending.underWay() - calls.length).toBe(0)
    return underWay.length
  }
  sending.begin(() => true)
  sending.start()
  expect(await answerAll('outage')).toBe(4)
  expect(calls).toEqual([])

  sending.begin(() => true)
  sending.start()
  expect(await answerAll('accepted')).toBe(1)
  expect(await answerAll('accepted')).toBe(2)
  expect(await answerAll('accepted')).toBe(4)
})
