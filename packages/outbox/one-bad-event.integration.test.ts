import type { SQSClient } from '@aws-sdk/client-sqs'
import { localCredentials } from '@product-events/local'
import { connectSqs } from '@product-events/queue'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { append, createRelay, type OutboxEvent, type Relay, type RelayReport, type Send, sendToSqs } from './index.ts'
import { freshOutbox, newEvent, statuses, testBroker } from './testing/outbox.ts'
import { startSqsModel } from './testing/sqs.ts'

let db: pg.Pool
let relay: Relay | undefined
const reports: RelayReport[] = []
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
  reports.length = 0
})
afterEach(async () => {
  await relay?.release()
  await db.end()
})

const relayTo = (send: Send) => (relay = createRelay({ db, send, report: (report) => reports.push(report) }))
const kinds = () => reports.map(({ kind }) => kind)
const eventOf = async (key: string) =>
  (await db.query('SELECT status, attempts, last_error FROM events WHERE key = $1 ORDER BY id', [key])).rows[0]
const dueNow = () => db.query(`UPDATE events SET next_attempt_at = clock_timestamp() WHERE status = 'failed'`)
const others = Array.from({ length: 9 }, (_, n) => newEvent(`key-${n}`))
/** Tables from before the rules of migration 0002, so to say: they were not asked of rows that are there already. */
const withoutRules = () =>
  db.query(`ALTER TABLE events DROP CONSTRAINT events_headers_are_texts, DROP CONSTRAINT events_key_length`)
const insert = (key: string, headers: string) =>
  db.query(
    `INSERT INTO events (event_id, key, type, payload, headers) VALUES (gen_random_uuid(), $1, 't', '{}', $2::jsonb)`,
    [key, headers],
  )

describe('what can be refused is refused when it is written', () => {
  test.each(['{"retries": 3}', '[]', '"text"', '{"a": null}', '{"a": ["b"]}', '{"a": "b", "c": {}}', 'null'])(
    'headers %s by SQL',
    async (headers) => {
      await expect(insert('a', headers)).rejects.toThrow('events_headers_are_texts')
    },
  )

  test('a key or type of more than 1,024 bytes, by SQL and by append, which says which event', async () => {
    await insert('ü'.repeat(512), '{}')
    await expect(insert('ü'.repeat(513), '{}')).rejects.toThrow('events_key_length')
    const [long, fits] = ['x'.repeat(1_025), 'x'.repeat(1_024)]
    await append(db, [{ ...newEvent(fits), type: fits }])
    const event = newEvent(long)
    await expect(append(db, [event])).rejects.toThrow(`key of event ${event.id} has 1025 bytes`)
    await expect(append(db, [{ ...newEvent('a'), type: long }])).rejects.toThrow('type of event')
    const headers = { retries: 3 } as unknown as Record<string, string>
    await expect(append(db, [{ ...newEvent('a'), headers }])).rejects.toThrow('header "retries" of event')
  })
})

test('an event whose headers no broker can be handed is dead at once with its reason; the others leave in the same cycle', async () => {
  await withoutRules()
  await append(db, others)
  await insert('bad', '{"retries": 3}')
  await append(db, [newEvent('bad')])
  const broker = testBroker()
  await relayTo(broker.send).drainOnce()
  expect(await eventOf('bad')).toMatchObject({ status: 'dead', last_error: expect.stringContaining('headers') })
  expect(broker.accepted).toHaveLength(10)
  expect(await statuses(db)).toEqual({ processed: 10, dead: 1 })
  expect(kinds()).not.toContain('broker-away')

  await db.query(`UPDATE events SET headers = '{}', status = 'pending' WHERE status = 'dead'`)
  await relay!.drainOnce()
  expect(await statuses(db), 'a row that was mended is read as it is now').toEqual({ processed: 11 })
})

test('a row that was mended while the broker had an outage is sent as it is now', async () => {
  await append(db, [newEvent('a', 'wrong')])
  let away = true
  const broker = testBroker(() => (away ? 'outage' : undefined))
  await relayTo(broker.send).drainOnce()
  await db.query(`UPDATE events SET payload = '"right"'`)
  away = false
  await relay!.drainOnce()
  expect(broker.accepted.map(({ payload }) => payload)).toEqual(['"right"'])
})

test('a payload that is larger than the relay reads is dead at once, and memory holds none of it', async () => {
  await db.query(
    `INSERT INTO events (event_id, key, type, payload)
     SELECT gen_random_uuid(), 'huge', 't', to_jsonb(repeat('x', 17 * 1024 * 1024))`,
  )
  await append(db, others)
  const broker = testBroker()
  await relayTo(broker.send).drainOnce()
  expect(await eventOf('huge')).toMatchObject({ status: 'dead', last_error: expect.stringContaining('bytes') })
  expect(broker.accepted).toHaveLength(9)
})

describe('a refusal is stored, whatever its words are', () => {
  test.each([
    ['an emoji across the 1,000th code unit', `${'x'.repeat(999)}🫖🫖`],
    ['a lone surrogate', 'bad \ud800 text'],
    ['U+0000', 'bad \u0000 text'],
    ['nothing but emoji', '🫖'.repeat(2_000)],
  ])('%s', async (_what, reason) => {
    await append(db, [newEvent('bad'), ...others])
    const broker = testBroker(({ key }) => (key === 'bad' ? { kind: 'refused', reason } : undefined))
    await relayTo(broker.send).drainOnce()
    expect(await statuses(db)).toEqual({ failed: 1, processed: 9 })
    const { last_error: stored } = (await eventOf('bad')) as { last_error: string }
    expect(Array.from(stored).length).toBeLessThanOrEqual(1_000)
    expect(stored.isWellFormed()).toBe(true)
  })
})

test('a settlement that the database refuses is the culprit’s alone: it is dead with a reason, the others are settled', async () => {
  await withoutRules()
  // Too long, and too random to be compressed, for the index of failed keys.
  const key = Array.from({ length: 120 }, () => crypto.randomUUID()).join('')
  await insert(key, '{}')
  await append(db, others)
  const refused = new Set([key, 'key-3'])
  const broker = testBroker((event) => (refused.has(event.key) ? { kind: 'refused', reason: 'no' } : undefined))
  await relayTo(broker.send).drainOnce()
  expect(await statuses(db)).toEqual({ processed: 8, failed: 1, dead: 1 })
  expect(await eventOf(key)).toMatchObject({
    status: 'dead',
    last_error: expect.stringMatching(/refused to store.*index/),
  })
})

test('an acceptance that the database refuses to mark is reported once, and blocks no other event', async () => {
  await db.query(`ALTER TABLE events ADD CHECK (key <> 'bad' OR status <> 'processed')`)
  await append(db, [newEvent('bad'), ...others])
  const broker = testBroker()
  relayTo(broker.send)
  for (let round = 0; round < 3; round++) await relay!.drainOnce()
  expect(await statuses(db)).toEqual({ processed: 9, pending: 1 })
  expect(broker.accepted, 'and it is not sent again').toHaveLength(10)
  expect(kinds().filter((kind) => kind === 'unsettled')).toHaveLength(1)
})

describe('a send that rejects', () => {
  const throwing = (bad: (event: OutboxEvent) => boolean) => {
    const broker = testBroker()
    const send: Send = async (events) => {
      if (events.some(bad)) throw new TypeError('value.replace is not a function')
      return broker.send(events)
    }
    return { ...broker, send }
  }

  test('because of one event is that event’s failure alone: it loses an attempt, and the others leave in the same cycle', async () => {
    const broker = throwing(({ key }) => key === 'bad')
    await append(db, [newEvent('bad'), ...others])
    await relayTo(broker.send).drainOnce()
    expect(broker.accepted).toHaveLength(9)
    expect(await eventOf('bad')).toMatchObject({
      status: 'failed',
      attempts: 1,
      last_error: expect.stringContaining('replace'),
    })
    for (let attempt = 2; attempt <= 10; attempt++) {
      await dueNow()
      await relay!.drainOnce()
    }
    expect(await eventOf('bad')).toMatchObject({ status: 'dead', attempts: 10 })
  })

  test('for two events of ten finds both', async () => {
    const broker = throwing(({ key }) => key === 'bad' || key === 'worse')
    await append(db, [newEvent('bad'), newEvent('worse'), ...others])
    await relayTo(broker.send).drainOnce()
    await relay!.drainOnce()
    expect(await statuses(db)).toEqual({ processed: 9, failed: 2 })
  })

  test('for everything is an outage: no event loses an attempt', async () => {
    let broken = true
    const broker = throwing(() => broken)
    await append(db, others)
    relayTo(broker.send)
    for (let round = 0; round < 12; round++)
      expect(await relay!.drainOnce()).toMatchObject({ outage: expect.stringContaining('replace') })
    broken = false
    await relay!.drainOnce()
    expect((await db.query('SELECT DISTINCT status, attempts FROM events')).rows).toEqual([
      { status: 'processed', attempts: 0 },
    ])
  })
})

describe('entries that SQS fails at', () => {
  let model: Awaited<ReturnType<typeof startSqsModel>>
  let sqs: SQSClient
  beforeAll(async () => {
    Object.assign(process.env, localCredentials)
    model = await startSqsModel()
    sqs = connectSqs({ endpoint: model.endpoint, region: 'x', requestTimeoutMs: 4_000, maxConnections: 4 })
  })
  beforeEach(() => model.reset())
  afterAll(async () => {
    sqs.destroy()
    await model.stop()
  })

  test('by its own fault lose no attempt, however often, and no younger event of their key overtakes', async () => {
    await append(db, [newEvent('bad', 'first'), newEvent('bad', 'second'), ...others])
    const [{ id }] = (await db.query<{ id: string }>(`SELECT id FROM events ORDER BY id LIMIT 1`)).rows as [
      { id: string },
    ]
    model.entryFate = (entry) => (entry === id ? 'failed' : 'fine')
    relayTo(sendToSqs({ sqs, queueUrl: model.queueUrl }))
    for (let round = 0; round < 15; round++) {
      await relay!.drainOnce()
      await dueNow()
    }
    expect(await statuses(db)).toEqual({ processed: 9, failed: 1, pending: 1 })
    expect(await eventOf('bad')).toMatchObject({ attempts: 0, last_error: expect.stringContaining('InternalError') })
    model.entryFate = () => 'fine'
    await relay!.drainOnce()
    await relay!.drainOnce()
    expect([...model.queue.values()].slice(-2)).toEqual(['"first"', '"second"'])
  })

  test('all alike are an outage: nothing is written of any of them', async () => {
    await append(db, others)
    model.entryFate = () => 'failed'
    relayTo(sendToSqs({ sqs, queueUrl: model.queueUrl }))
    for (let round = 0; round < 12; round++)
      expect(await relay!.drainOnce()).toMatchObject({ outage: expect.stringContaining('InternalError') })
    expect((await db.query('SELECT DISTINCT status, attempts, last_error FROM events')).rows).toEqual([
      { status: 'pending', attempts: 0, last_error: null },
    ])
  })
})
