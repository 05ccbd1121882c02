import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay, type Relay, type RelayReport, type Send } from './index.ts'
import { freshOutbox, newEvent, statuses, testBroker } from './testing/outbox.ts'

let db: pg.Pool
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
})
afterEach(() => db.end())

const reports: RelayReport[] = []
function relayTo(send: Send): Relay {
  reports.length = 0
  return createRelay({ db, send, report: (report) => reports.push(report) })
}

test('while the broker is away no event loses an attempt, and all of them leave when it is back', async () => {
  await append(
    db,
    Array.from({ length: 25 }, (_, n) => newEvent(`key-${n}`)),
  )
  let away = true
  const broker = testBroker(() => (away ? 'outage' : undefined))
  const relay = relayTo(broker.send)
  for (let n = 0; n < 12; n++) expect(await relay.drainOnce()).toMatchObject({ outage: 'the broker is unreachable' })
  away = false
  await relay.drainOnce()
  expect(await statuses(db)).toEqual({ processed: 25 })
  const { rows } = await db.query('SELECT max(attempts) AS attempts FROM events')
  expect(rows).toEqual([{ attempts: 0 }])
})

test('a broker that is back is reported although nothing is left to send, and asked at a rest until then', async () => {
  let away = true
  let asked = 0
  const send: Send = (events) => {
    if (events.length === 0) asked++
    return Promise.resolve({ outcomes: new Map(), outage: away ? 'the broker is unreachable' : undefined })
  }
  const relay = relayTo(send)
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  const brokerReports = () => reports.map(({ kind }) => kind).filter((kind) => kind.startsWith('broker'))
  await append(db, [newEvent('a', 1)])
  relay.nudge()
  await expect.poll(brokerReports, { timeout: 10_000 }).toEqual(['broker-away'])
  await db.query('DELETE FROM events')
  await expect.poll(() => asked, { timeout: 50_000 }).toBeGreaterThan(1)
  expect(brokerReports()).toEqual(['broker-away'])
  away = false
  await expect.poll(brokerReports, { timeout: 50_000 }).toEqual(['broker-away', 'broker-back'])
  const before = asked
  relay.nudge()
  stop.abort()
  await running
  expect(asked, 'a broker that works is not asked').toBe(before)
})
