import { expect, inject, test } from 'vitest'
import { append, createRelay, type RelayReport } from './index.ts'
import { freshOutbox, newEvent, testBroker } from './testing/outbox.ts'

test('a postponed event waits with its key, and no other, and is tried again without having lost an attempt', async () => {
  const db = await freshOutbox(inject('postgresUrl'))
  let busy = true
  const broker = testBroker(({ key }) =>
    busy && key === 'slow' ? { kind: 'postponed', reason: 'busy', delayMs: 60_000 } : undefined,
  )
  const reports: RelayReport[] = []
  const relay = createRelay({ db, send: broker.send, report: (report) => reports.push(report) })
  await append(db, [newEvent('slow', 1), newEvent('slow', 2), newEvent('quick', 3)])
  const dueNow = () => db.query(`UPDATE events SET next_attempt_at = clock_timestamp() WHERE status = 'failed'`)
  for (let round = 0; round < 3; round++) {
    await relay.drainOnce()
    await dueNow()
  }
  expect(broker.accepted.map(({ payload }) => payload)).toEqual(['3'])
  expect(reports.filter(({ kind }) => kind === 'postponed')).toHaveLength(3)
  expect(reports.filter(({ kind }) => kind === 'failed')).toEqual([])
  const { rows } = await db.query('SELECT attempts, status, last_error FROM events WHERE key = $1 ORDER BY id', [
    'slow',
  ])
  expect(rows).toEqual([
    { attempts: 0, status: 'failed', last_error: 'busy' },
    { attempts: 0, status: 'pending', last_error: null },
  ])

  busy = false
  await relay.drainOnce()
  await relay.drainOnce()
  expect(broker.accepted.map(({ payload }) => payload)).toEqual(['3', '1', '2'])
  await relay.release()
  await db.end()
})
