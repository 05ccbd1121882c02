import { transaction } from '@product-events/database'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay, type OutboxEvent, prune, type Relay, type RelayReport, type Send } from './index.ts'
import { LANES } from './lanes.ts'
import { freshOutbox, newEvent, statuses, testBroker } from './testing/outbox.ts'
import { outboxTables } from './database.ts'

let db: pg.Pool
const relays: Relay[] = []
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
})
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.release()))
  await db.end()
})

const reports: RelayReport[] = []
function relayTo(send: Send): Relay {
  reports.length = 0
  const relay = createRelay({ db, send, report: (report) => reports.push(report) })
  relays.push(relay)
  return relay
}
const payloads = (events: OutboxEvent[]) => events.map(({ payload }) => JSON.parse(payload) as unknown)

test('an event leaves if and only if its transaction committed', async () => {
  await transaction(db, (tx) => append(tx, [newEvent('a', 'committed')]))
  await transaction(db, async (tx) => {
    await append(tx, [newEvent('b', 'rolled back')])
    throw new Error('no')
  }).catch(() => {})
  const broker = testBroker()
  await relayTo(broker.send).drainOnce()
  expect(payloads(broker.accepted)).toEqual(['committed'])
  expect(await statuses(db)).toEqual({ processed: 1 })
})

test('eleven events are two batches of at most ten, and all are settled', async () => {
  await append(
    db,
    Array.from({ length: 11 }, (_, n) => newEvent(`key-${n}`)),
  )
  const broker = testBroker()
  const counts = await relayTo(broker.send).drainOnce()
  expect(broker.batches.map((batch) => batch.length).toSorted((a, b) => a - b)).toEqual([1, 10])
  expect(counts).toMatchObject({ claimed: 11, published: 11 })
  expect(await statuses(db)).toEqual({ processed: 11 })
})

test('events of a key leave one after the other in the order of their commits, whatever else is there', async () => {
  const keys = ['a', 'b', 'c']
  await append(
    db,
    Array.from({ length: 300 }, (_, n) => newEvent(keys[n % 3]!, n)),
  )
  const broker = testBroker()
  await relayTo(broker.send).drainOnce()
  for (const batch of broker.batches) expect(new Set(batch.map(({ key }) => key)).size).toBe(batch.length)
  for (const [index, key] of keys.entries()) {
    const sent = payloads(broker.accepted.filter((event) => event.key === key))
    expect(sent).toEqual(Array.from({ length: 100 }, (_, n) => 3 * n + index))
  }
})

test('a transaction that takes its id early and commits late is sent when it commits, and holds nobody up', async () => {
  const late = await db.connect()
  await late.query('BEGIN')
  await append(late, [newEvent('late', 'late')])
  await append(db, [newEvent('early', 'early')])
  const broker = testBroker()
  const relay = relayTo(broker.send)
  await relay.drainOnce()
  expect(payloads(broker.accepted)).toEqual(['early'])
  await late.query('COMMIT')
  late.release()
  await relay.drainOnce()
  expect(payloads(broker.accepted)).toEqual(['early', 'late'])
})

test('SQS refuses one entry of a batch: the other nine are processed; that one is retried, then dead with its reason', async () => {
  const events = Array.from({ length: 10 }, (_, n) => newEvent(`key-${n}`, n))
  await append(db, [...events, newEvent('key-3', 'after it')])
  const broker = testBroker((event) => (event.payload === '3' ? { kind: 'refused', reason: 'not today' } : undefined))
  const relay = relayTo(broker.send)

  await relay.drainOnce()
  expect(await statuses(db)).toEqual({ processed: 9, failed: 1, pending: 1 })
  await relay.drainOnce()
  expect(await statuses(db), 'before it is due nothing of its key moves').toEqual({
    processed: 9,
    failed: 1,
    pending: 1,
  })

  for (let attempt = 2; attempt <= 10; attempt++) {
    await db.query(
      `UPDATE events SET next_attempt_at = clock_timestamp() - interval '1 second' WHERE status = 'failed'`,
    )
    await relay.drainOnce()
  }
  await relay.drainOnce()
  expect(await statuses(db), 'a dead event no longer holds back its key').toEqual({ processed: 10, dead: 1 })
  const { rows } = await db.query(`SELECT attempts, last_error, next_attempt_at FROM events WHERE status = 'dead'`)
  expect(rows).toEqual([{ attempts: 10, last_error: 'not today', next_attempt_at: null }])
  expect(reports.filter(({ kind }) => kind === 'failed')).toHaveLength(9)
  expect(reports.filter(({ kind }) => kind === 'dead')).toHaveLength(1)
})

test('a message that can never be accepted is dead at once, and the next of its key goes', async () => {
  await append(db, [newEvent('a', 'bad'), newEvent('a', 'good')])
  const judge = (event: OutboxEvent) =>
    event.payload === '"bad"' ? ({ kind: 'unacceptable', reason: 'too large' } as const) : undefined
  const broker = testBroker(judge)
  const relay = relayTo(broker.send)
  await relay.drainOnce()
  await relay.drainOnce()
  expect(payloads(broker.accepted)).toEqual(['good'])
  expect(await statuses(db)).toEqual({ processed: 1, dead: 1 })
})

test('a send that throws counts as an outage, and an event without a verdict as not sent', async () => {
  await append(db, [newEvent('a'), newEvent('b')])
  expect(await relayTo(() => Promise.reject(new Error('boom'))).drainOnce()).toMatchObject({ outage: 'boom' })
  await relays[0]!.release()
  const silent: Send = async ([first]) => ({ outcomes: new Map([[first!.id, { kind: 'accepted' }]]) })
  const counts = await relayTo(silent).drainOnce()
  expect(counts.published).toBe(1)
  expect(counts.outage).toContain('without a verdict')
  expect(await statuses(db)).toEqual({ processed: 1, pending: 1 })
})

test('run sends soon after a nudge, tells of an outage once, and gives its lanes back when it stops', async () => {
  let away = false
  const broker = testBroker(() => (away ? 'outage' : undefined))
  const relay = relayTo(broker.send)
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  await append(db, [newEvent('a', 1)])
  relay.nudge()
  await expect.poll(() => payloads(broker.accepted)).toEqual([1])
  away = true
  await append(db, [newEvent('a', 2)])
  relay.nudge()
  await expect.poll(() => broker.batches.length, { timeout: 10_000 }).toBeGreaterThan(4)
  away = false
  await expect.poll(() => payloads(broker.accepted), { timeout: 10_000 }).toEqual([1, 2])
  stop.abort()
  await running
  expect(reports.map(({ kind }) => kind).filter((kind) => kind.startsWith('broker'))).toEqual([
    'broker-away',
    'broker-back',
  ])
  const { rows } = await db.query('SELECT count(*)::int AS owned FROM outbox_lanes WHERE relay IS NOT NULL')
  expect(rows).toEqual([{ owned: 0 }])
})

test('one relay owns all lanes; a second gets half of them; the first has all again when the second stops', async () => {
  const owned = async () => {
    const { rows } = await db.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay ORDER BY 1`,
    )
    return rows.map(({ count }) => count)
  }
  const stops = [new AbortController(), new AbortController()] as const
  const first = relayTo(testBroker().send).run(stops[0].signal)
  await expect.poll(owned).toEqual([LANES])
  const second = relayTo(testBroker().send).run(stops[1].signal)
  await expect.poll(owned, { timeout: 10_000 }).toEqual([LANES / 2, LANES / 2])
  stops[1].abort()
  await second
  await expect.poll(owned, { timeout: 10_000 }).toEqual([LANES])
  stops[0].abort()
  await first
})

test('the lanes of a relay that died are taken over once its lease has run out, not before', async () => {
  await append(db, [newEvent('a')])
  const dead = relayTo(() => Promise.reject(new Error('never mind')))
  await dead.drainOnce()
  const heir = testBroker()
  const relay = relayTo(heir.send)
  await relay.drainOnce()
  expect(heir.accepted).toEqual([])
  await db.query(
    `UPDATE outbox_relays SET expires_at = clock_timestamp() WHERE id = (SELECT min(id::text)::uuid FROM outbox_relays)`,
  )
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  await expect.poll(() => heir.accepted.length, { timeout: 10_000 }).toBe(1)
  stop.abort()
  await running
})

test('processed events go after their retention; pending, failed and dead ones stay however old', async () => {
  await append(
    db,
    Array.from({ length: 2_500 }, (_, n) => newEvent(`key-${n}`)),
  )
  await relayTo(testBroker().send).drainOnce()
  await append(db, [newEvent('a'), newEvent('b'), newEvent('c')])
  await db.query(
    `UPDATE events SET created_at = created_at - interval '5 hours', processed_at = processed_at - interval '5 hours'`,
  )
  await db.query(`UPDATE events SET status = 'dead' WHERE key = 'b'`)
  await db.query(`UPDATE events SET status = 'failed', next_attempt_at = clock_timestamp() WHERE key = 'c'`)
  expect(await prune(outboxTables(db), 6)).toBe(0)
  expect(await prune(outboxTables(db), 4)).toBe(2_500)
  expect(await statuses(db)).toEqual({ pending: 1, dead: 1, failed: 1 })
})
