import { expect, inject, test } from 'vitest'
import { append } from './append.ts'
import { createBell } from './bell.ts'
import { createDrain } from './drain.ts'
import { createHold } from './hold.ts'
import { createLease } from './lease.ts'
import { QUEUE_RETRIES, settleAccepted } from './settle.ts'
import { freshOutbox, newEvent, testBroker } from './testing.ts'

test('what waited in memory when its lanes were lost is not sent once they are back: another relay may have sent it', async () => {
  const db = await freshOutbox(inject('postgresUrl'))
  let now = 0
  let away = true
  const lease = createLease(db, 'test', () => now)
  const broker = testBroker(() => (away ? 'outage' : undefined))
  const drain = createDrain({
    db,
    send: broker.send,
    lease,
    hold: createHold(),
    bell: createBell(),
    report: () => {},
    batchSize: 10,
    inFlight: 1,
    retries: QUEUE_RETRIES,
  })
  await append(db, [newEvent('a'), newEvent('b')])
  expect(await drain.drainOnce(() => false)).toMatchObject({ claimed: 2, outage: 'the broker is away' })

  // The lease runs out while another relay is there, which takes the lanes, sends the events, and leaves.
  now += 11_000
  await db.query(`UPDATE outbox_relays SET expires_at = clock_timestamp() - interval '1 second'`)
  const other = createLease(db, 'other')
  await other.balance(() => true)
  expect(other.owned()).toBe(64)
  await drain.balance()
  expect(lease.owned()).toBe(0)
  await settleAccepted(db, ['1', '2'])
  await other.release()

  away = false
  now += 2_500
  broker.batches.length = 0
  expect(await drain.drainOnce(() => false)).toMatchObject({ claimed: 0, published: 0 })
  expect(lease.owned()).toBe(64)
  expect(broker.batches).toEqual([])
  await lease.release()
  await db.end()
})
