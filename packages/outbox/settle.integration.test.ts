import type pg from 'pg'
import { afterAll, beforeEach, expect, inject, test } from 'vitest'
import { append } from './append.ts'
import { claimDue, claimPending } from './claim.ts'
import { readPage } from './read-page.ts'
import { LANES } from './lanes.ts'
import type { OutboxEvent } from './send.ts'
import { rejection, settleAccepted, settleRejected } from './settle.ts'
import { type Database, outboxTables } from './database.ts'
import { createRelay } from './relay.ts'
import { freshOutbox, newEvent, statuses, testBroker } from './testing/outbox.ts'

let db: pg.Pool
beforeEach(async () => {
  await db?.end()
  db = await freshOutbox(inject('postgresUrl'))
})
afterAll(() => db.end())

const allLanes = Array.from({ length: LANES }, (_, lane) => ({ lane, held: [], heldEvents: [], full: [] }))
const refusal = (event: OutboxEvent) => rejection(event, { kind: 'refused', reason: 'not today' })

test('a refusal that comes late leaves alone what another relay has settled since', async () => {
  await append(db, [newEvent('a'), newEvent('b')])
  const [first, second] = (await readPage(outboxTables(db), claimPending, allLanes, 10)).events as [
    OutboxEvent,
    OutboxEvent,
  ]
  await settleAccepted(outboxTables(db), [first])
  await settleRejected(outboxTables(db), [refusal(second)])
  const settled = await db.query('SELECT id, status, attempts, next_attempt_at FROM events ORDER BY id')

  await settleRejected(outboxTables(db), [refusal(first), refusal(second)])
  expect((await db.query('SELECT id, status, attempts, next_attempt_at FROM events ORDER BY id')).rows).toEqual(
    settled.rows,
  )
  expect(await statuses(db)).toEqual({ processed: 1, failed: 1 })
})

test('an acceptance that comes late is a fact, whatever another relay was told since', async () => {
  await append(db, [newEvent('a')])
  const [event] = (await readPage(outboxTables(db), claimPending, allLanes, 10)).events as [OutboxEvent]
  await settleRejected(outboxTables(db), [refusal(event)])
  await settleAccepted(outboxTables(db), [event])
  expect(await statuses(db)).toEqual({ processed: 1 })
})

test('the answer to an earlier sending does not settle an event that an operator has sent once more since', async () => {
  await append(db, [newEvent('a')])
  const [event] = (await readPage(outboxTables(db), claimPending, allLanes, 10)).events as [OutboxEvent]
  await settleAccepted(outboxTables(db), [event])
  await db.query(`UPDATE events SET status = 'pending', redriven_count = redriven_count + 1`)
  // The answer to the first statement was lost, so the relay repeats it.
  await settleAccepted(outboxTables(db), [event])
  expect(await statuses(db)).toEqual({ pending: 1 })
})

test('an answer settles no other event that has the same number since the table was restored to an earlier state', async () => {
  await append(db, [newEvent('a')])
  const [event] = (await readPage(outboxTables(db), claimPending, allLanes, 10)).events as [OutboxEvent]
  const { id: eventId } = newEvent('a')
  await settleAccepted(outboxTables(db), [{ ...event, eventId }])
  await settleRejected(outboxTables(db), [refusal({ ...event, eventId })])
  expect(await statuses(db)).toEqual({ pending: 1 })
})

test('of two failed events of a key, as after a redrive, only the older is tried, even while only the younger is due', async () => {
  await append(db, [newEvent('a', 'older'), newEvent('a', 'younger'), newEvent('b', 'another key')])
  await db.query(`UPDATE events SET status = 'failed', attempts = 1`)
  const due = async (ids: number[]) => {
    await db.query(
      `UPDATE events SET next_attempt_at = clock_timestamp() +
         CASE WHEN id = ANY ($1) THEN interval '-1 second' ELSE interval '1 hour' END`,
      [ids],
    )
    return (await readPage(outboxTables(db), claimDue, allLanes, 10)).events
      .map(({ id }) => Number(id))
      .toSorted((a, b) => a - b)
  }
  expect(await due([1, 2, 3])).toEqual([1, 3])
  expect(await due([2, 3])).toEqual([3])
  expect(await due([])).toEqual([])
})

test.each([
  ['accepted', { processed: 1 }],
  ['refused', { failed: 1 }],
  ['unacceptable', { dead: 1 }],
] as const)(
  'an event that was %s while the database was away is settled by the next cycle, not sent again',
  async (kind, settled) => {
    await append(db, [newEvent('a')])
    let away = true
    const query: Database['query'] = (text, values) =>
      away && /^UPDATE \S+\.events/.test(text)
        ? Promise.reject(new Error('the database is away'))
        : db.query(text, values)
    const broker = testBroker(() => ({ kind, reason: 'not today' }))
    const relay = createRelay({ db: { query }, send: broker.send })
    await expect(relay.drainOnce()).rejects.toThrow('the database is away')
    expect(await statuses(db)).toEqual({ pending: 1 })
    away = false
    await relay.drainOnce()
    expect(await statuses(db)).toEqual(settled)
    expect(broker.batches).toHaveLength(1)
    await relay.release()
  },
)

test('a refusal that is told twice, since its first answer was lost, does not undo what a person redrove in between', async () => {
  await append(db, [newEvent('a')])
  const [event] = (await readPage(outboxTables(db), claimPending, allLanes, 10)).events as [OutboxEvent]
  const dead = rejection(event, { kind: 'unacceptable', reason: 'too large' })
  await settleRejected(outboxTables(db), [dead])
  await db.query(`UPDATE events SET status = 'pending', attempts = 0, redriven_count = redriven_count + 1`)
  await settleRejected(outboxTables(db), [dead])
  expect(await statuses(db)).toEqual({ pending: 1 })
})

test('an event is marked with the time of its acceptance, however late the mark', async () => {
  await append(db, [newEvent('a')])
  const [event] = (await readPage(outboxTables(db), claimPending, allLanes, 10)).events as [OutboxEvent]
  await settleAccepted(outboxTables(db), [{ ...event, agoMs: 3_600_000 }])
  const { rows } = await db.query(
    `SELECT extract(epoch FROM clock_timestamp() - processed_at) BETWEEN 3600 AND 3660 AS an_hour_ago FROM events`,
  )
  expect(rows).toEqual([{ an_hour_ago: true }])
})

test('a lone event is marked at once, and a stream of events in batches', async () => {
  const marks: number[] = []
  const query: Database['query'] = (text, values) => {
    if (/SET status = 'processed'/.test(text)) marks.push((JSON.parse(values[0] as string) as unknown[]).length)
    return db.query(text, values)
  }
  const broker = testBroker()
  const stop = new AbortController()
  const relay = createRelay({ db: { query }, send: broker.send })
  const running = relay.run(stop.signal)
  const arrive = async (n: number) => {
    await append(db, [newEvent(`key-${n}`)])
    relay.nudge()
    await expect.poll(() => broker.accepted.length, { timeout: 50_000, interval: 1 }).toBe(n + 1)
  }
  await arrive(0)
  await expect.poll(() => marks, { timeout: 50_000 }).toEqual([1])
  for (let n = 1; n <= 100; n++) await arrive(n)
  stop.abort()
  await running
  expect(marks.reduce((sum, count) => sum + count, 0)).toBe(101)
  expect(marks.length, 'with a statement for each event there were 101').toBeLessThan(50)
})
