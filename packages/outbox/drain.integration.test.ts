import type pg from 'pg'
import { afterEach, expect, inject, test } from 'vitest'
import { append } from './append.ts'
import { createBell } from './bell.ts'
import { type Database, outboxTables } from './database.ts'
import { createDrain } from './drain.ts'
import { createHold } from './hold.ts'
import { LANES } from './lanes.ts'
import { createLease } from './lease.ts'
import type { OutboxEvent, Outcome } from './send.ts'
import { QUEUE_RETRIES } from './settle.ts'
import { freshOutbox, newEvent, testBroker } from './testing/outbox.ts'

const open: pg.Pool[] = []
afterEach(async () => {
  for (const db of open.splice(0)) await db.end()
})

/** A drain whose lease has a clock of its own, and another relay to lose its lanes to. */
async function createWorld(judge: (event: OutboxEvent) => Outcome | 'outage' | undefined) {
  const db = await freshOutbox(inject('postgresUrl'))
  open.push(db)
  const statements: string[] = []
  const query: Database['query'] = (text, values) => {
    statements.push(text)
    return db.query(text, values)
  }
  let now = 0
  const lease = createLease(outboxTables(db), 'test', { now: () => now })
  const other = createLease(outboxTables(db), 'other')
  const broker = testBroker(judge)
  const drain = createDrain({
    tables: outboxTables({ query }),
    send: broker.send,
    lease,
    hold: createHold(),
    bell: createBell(),
    report: () => {},
    batchSize: 10,
    inFlight: 1,
    retries: QUEUE_RETRIES,
  })
  return {
    db,
    statements,
    lease,
    broker,
    drain,
    /** The lease runs out while another relay is there, which takes the lanes. */
    async loseLanes(): Promise<void> {
      now += 11_000
      await db.query(`UPDATE outbox_relays SET expires_at = clock_timestamp() - interval '1 second'`)
      await other.balance(() => true)
      expect(other.owned()).toBe(LANES)
      await drain.balance()
      expect(lease.owned()).toBe(0)
    },
    async otherLeaves(): Promise<void> {
      await other.release()
      now += 2_500
    },
  }
}

test('what waited in memory when its lanes were lost is not sent once they are back: another relay may have sent it', async () => {
  let away = true
  const { db, drain, broker, lease, loseLanes, otherLeaves } = await createWorld(() => (away ? 'outage' : undefined))
  await append(db, [newEvent('a'), newEvent('b')])
  expect(await drain.drainOnce({ stopping: () => false })).toMatchObject({
    claimed: 2,
    outage: 'the broker is unreachable',
  })

  await loseLanes()
  await db.query(`UPDATE events SET status = 'processed', processed_at = clock_timestamp()`)
  await otherLeaves()

  away = false
  broker.batches.length = 0
  expect(await drain.drainOnce({ stopping: () => false })).toMatchObject({ claimed: 0, published: 0 })
  expect(lease.owned()).toBe(LANES)
  expect(broker.batches).toEqual([])
  await lease.release()
})

test('a failed event that was forgotten with its lane is an event like any other when it comes again', async () => {
  const fate: { is: Outcome | 'outage' } = { is: { kind: 'refused', reason: 'no' } }
  const { db, drain, statements, lease, loseLanes, otherLeaves } = await createWorld(() => fate.is)
  await append(db, [newEvent('a')])
  expect(await drain.drainOnce({ stopping: () => false })).toMatchObject({ failed: 1 })
  await db.query('UPDATE events SET next_attempt_at = clock_timestamp()')
  fate.is = 'outage'
  expect(await drain.drainOnce({ stopping: () => false })).toMatchObject({
    claimed: 1,
    outage: 'the broker is unreachable',
  })

  // In another relay it died, and an operator redrove it.
  await loseLanes()
  await db.query(`UPDATE events SET status = 'pending', next_attempt_at = NULL`)
  await otherLeaves()

  fate.is = { kind: 'accepted' }
  statements.length = 0
  expect(await drain.drainOnce({ stopping: () => false })).toMatchObject({ claimed: 1, published: 1 })
  // A key that had failed is read once more when it goes on; this one had not, as far as the database knows.
  expect(statements.filter((text) => text.includes(`pending.status = 'pending'`))).toHaveLength(1)
  await lease.release()
})

test('the events behind one that is dead leave in the same cycle', async () => {
  const { db, drain, broker, lease } = await createWorld(({ payload }) =>
    payload === '"never"' ? { kind: 'unacceptable', reason: 'no' } : undefined,
  )
  await append(db, [newEvent('a', 'never'), newEvent('a', 'one'), newEvent('a', 'two')])
  expect(await drain.drainOnce({ stopping: () => false })).toMatchObject({ dead: 1, published: 2 })
  expect(broker.accepted.map(({ payload }) => payload)).toEqual(['"one"', '"two"'])
  await lease.release()
})

test('a lane that was to be handed over and stays after all is read at once, while a cycle goes on', async () => {
  const db = await freshOutbox(inject('postgresUrl'))
  open.push(db)
  const lease = createLease(outboxTables(db), 'test')
  const [stays, leaves] = [newEvent('stays'), newEvent('leaves')]
  await append(db, [stays, leaves])
  const { rows } = await db.query<{ lane: number }>(`SELECT lane FROM events WHERE key = 'leaves'`)
  const leaving = new Set(rows.map(({ lane }) => lane))
  let isOver = false
  let answer = (): void => {}
  const sent: string[] = []
  const bell = createBell()
  const drain = createDrain({
    tables: outboxTables(db),
    async send(events) {
      sent.push(...events.map(({ eventId }) => eventId))
      if (sent.includes(stays.id) && !sent.includes(leaves.id)) await new Promise<void>((resolve) => (answer = resolve))
      return { outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' as const }])) }
    },
    lease: {
      ...lease,
      readable: () => lease.readable().filter((lane) => !leaving.has(lane)),
      async balance(isDrained) {
        await lease.balance(isDrained)
        if (isOver) leaving.clear()
      },
    },
    hold: createHold(),
    bell,
    report: () => {},
    batchSize: 10,
    inFlight: 2,
    retries: QUEUE_RETRIES,
  })
  const cycle = drain.drainOnce({ stopping: () => false })
  await expect.poll(() => sent, { timeout: 50_000 }).toEqual([stays.id])
  isOver = true
  lease.dueNow()
  bell.ring()
  await expect.poll(() => sent, { timeout: 50_000 }).toEqual([stays.id, leaves.id])
  answer()
  await cycle
  await lease.release()
})
