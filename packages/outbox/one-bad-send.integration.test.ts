import type { SQSClient } from '@aws-sdk/client-sqs'
import { localCredentials } from '@product-events/local'
import { connectSqs } from '@product-events/queue'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { append, createRelay, type OutboxEvent, type Relay, type RelayReport, type Send } from './index.ts'
import { sendToSqs } from './sqs.ts'
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
const eventOf = async (key: string) =>
  (await db.query('SELECT status, attempts, last_error FROM events WHERE key = $1 ORDER BY id', [key])).rows[0]
const dueNow = () => db.query(`UPDATE events SET next_attempt_at = clock_timestamp() WHERE status = 'failed'`)
const others = Array.from({ length: 9 }, (_, n) => newEvent(`key-${n}`))

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
