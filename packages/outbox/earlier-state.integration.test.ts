import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay, type OutboxEvent, type Relay, type Send } from './index.ts'
import { freshOutbox, newEvent, statuses } from './testing/outbox.ts'

let db: pg.Pool
let relay: Relay
let stop: AbortController
let running: Promise<void>
/** Sends that have left and wait for the broker's answer. */
const inFlight: { events: readonly OutboxEvent[]; answer: () => void }[] = []
const accepted: OutboxEvent[] = []
let holdAnswers: boolean

beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
  inFlight.length = accepted.length = 0
  holdAnswers = true
  const send: Send = async (events) => {
    if (holdAnswers) await new Promise<void>((answer) => inFlight.push({ events, answer }))
    accepted.push(...events)
    return { outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' as const }])) }
  }
  relay = createRelay({ db, send, inFlight: 2, batchSize: 5 })
  stop = new AbortController()
  running = relay.run(stop.signal)
})
afterEach(async () => {
  stop.abort()
  await running
  await db.end()
})

/**
 * What a restore, or a standby that lagged behind, makes of the table: its last rows are gone, their numbers free
 * again.
 */
const loseEverything = () => db.query('TRUNCATE events RESTART IDENTITY')

test('events that got the numbers of lost ones are sent, though old answers speak of those numbers', async () => {
  const lost = Array.from({ length: 40 }, (_, n) => newEvent(`old-${n}`))
  await append(db, lost)
  relay.nudge()
  await expect.poll(() => inFlight.length, { timeout: 50_000 }).toBe(2)

  await loseEverything()
  // Other keys than the old ones, and the same: 20 of each.
  const fresh = Array.from({ length: 40 }, (_, n) => newEvent(n % 2 ? `new-${n}` : `old-${n}`))
  await append(db, fresh)
  const numbers = new Set(inFlight.flatMap(({ events }) => events.map(({ id }) => Number(id))))
  expect(Math.max(...numbers), 'old and new events share numbers').toBeLessThanOrEqual(40)
  holdAnswers = false
  for (const { answer } of inFlight) answer()
  relay.nudge()

  await expect.poll(() => statuses(db), { timeout: 50_000 }).toEqual({ processed: 40 })
  const ids = new Set(accepted.map(({ eventId }) => eventId))
  expect(fresh.filter(({ id }) => !ids.has(id))).toEqual([])
})

test('no event of the earlier state is missing when events in memory have the numbers of new ones', async () => {
  await append(db, [newEvent('a', 'one'), newEvent('a', 'two'), newEvent('a', 'three')])
  relay.nudge()
  await expect.poll(() => inFlight.length, { timeout: 50_000 }).toBe(1)
  await loseEverything()
  const fresh = [newEvent('b', 'first'), newEvent('a', 'second'), newEvent('a', 'third'), newEvent('b', 'fourth')]
  await append(db, fresh)
  holdAnswers = false
  inFlight[0]!.answer()
  relay.nudge()
  await expect.poll(() => statuses(db), { timeout: 50_000 }).toEqual({ processed: 4 })
  const order = accepted.filter(({ eventId }) => fresh.some(({ id }) => id === eventId))
  const of = (key: string) => order.filter((event) => event.key === key).map(({ payload }) => payload)
  expect(of('a')).toEqual(['"second"', '"third"'])
  expect(of('b')).toEqual(['"first"', '"fourth"'])
})
