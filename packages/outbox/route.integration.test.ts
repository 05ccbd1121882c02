import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import type pg from 'pg'
import { append, createRelay, route } from './index.ts'
import { freshOutbox, newEvent, statuses, testBroker } from './testing/outbox.ts'

let db: pg.Pool
beforeAll(async () => {
  db = await freshOutbox(inject('postgresUrl'))
})
afterAll(() => db.end())

const patiently = { timeout: 25_000, interval: 20 }

test('one destination that is down blocks no key of the other, loses no attempt, and catches up when it is back', async () => {
  let isDown = true
  const mail = testBroker(() => (isDown ? 'outage' : undefined))
  const queue = testBroker()
  const relay = createRelay({
    db,
    send: route({ 'mail.*': mail.send, default: queue.send }),
    pollIntervalMs: 50,
  })
  const events = Array.from({ length: 60 }, (_, n) => ({
    ...newEvent(`key-${n % 20}`, n),
    type: n % 20 < 10 ? 'mail.wanted' : 'order.paid',
  }))
  await append(db, events)
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  await vi.waitFor(() => expect(queue.accepted).toHaveLength(30), patiently)
  await append(db, [newEvent('key-15', 'late')])
  relay.nudge()
  await vi.waitFor(() => expect(queue.accepted).toHaveLength(31), patiently)
  expect(mail.accepted).toEqual([])
  const { rows } = await db.query(`SELECT DISTINCT attempts, last_error FROM events WHERE status = 'failed'`)
  expect(rows).toEqual([{ attempts: 0, last_error: 'the broker is unreachable' }])

  isDown = false
  await vi.waitFor(() => expect(mail.accepted).toHaveLength(30), patiently)
  await vi.waitFor(async () => expect(await statuses(db)).toEqual({ processed: 61 }), patiently)
  for (const { accepted } of [mail, queue]) {
    for (const key of new Set(accepted.map(({ key }) => key))) {
      const ids = accepted.filter((event) => event.key === key).map(({ id }) => Number(id))
      expect(ids, 'in order for each key').toEqual(ids.toSorted((one, other) => one - other))
    }
  }
  stop.abort()
  await running
})
