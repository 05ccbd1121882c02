import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { createGroupCommit } from '../../packages/inbox/group-commit.ts'
import { createGuard } from '../../packages/inbox/reports.ts'
import { notificationMigrations } from './migrations.ts'
import { type NewNotification, notificationOf } from './notifications/notification.ts'
import { storeNotifications } from './notifications/store.ts'
import { notificationStore } from './store-events.ts'
import { testEvent } from './testing/consumer.ts'

let databaseUrl: string
let pool: pg.Pool
let stop: AbortController
beforeEach(async () => {
  databaseUrl = await freshDatabase(inject('postgresUrl'), notificationMigrations)
  pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 5, onIdleError: () => {} })
  stop = new AbortController()
})
afterEach(async () => {
  await pool.end()
  await dropDatabase(databaseUrl)
})

/** The group commit of the inbox over this service's store. */
function open(on: pg.Pool = pool) {
  const store = notificationStore({ pool: on, contextOf: () => undefined })
  const commits = createGroupCommit(store, () => {}, createGuard())
  return {
    put(notification: NewNotification, content = '1') {
      const { event_id: id, event_type: type, product_id: key, sequence } = notification
      const event = { id, type, key, sequence, payload: null, notification, unknown: undefined }
      return commits.put({ message: {}, event, content }, stop.signal)
    },
  }
}
const many = (count: number): NewNotification[] => Array.from({ length: count }, () => notificationOf(testEvent()))

test('what comes while a statement is under way is stored by the next one, all of it together', async () => {
  const other = await pool.connect()
  await other.query('BEGIN')
  await other.query('SELECT pg_advisory_xact_lock(7001)')
  const statements = vi.spyOn(pool, 'query')
  const inbox = open()
  const first = many(10).map((one) => inbox.put(one))
  await expect.poll(() => statements).toHaveBeenCalledTimes(1)
  const rest = many(150).map((one) => inbox.put(one))
  await other.query('COMMIT')
  other.release()

  const outcomes = await Promise.all([...first, ...rest])
  expect(new Set(outcomes.map((outcome) => outcome.kind))).toEqual(new Set(['stored']))
  expect(statements).toHaveBeenCalledTimes(2)
})

test('one that the database refuses is found in few statements, and all others are stored', async () => {
  const notifications = many(160)
  const refused = { ...notifications[77]!, title: 'half of a pair: \ud83d' }
  notifications[77] = refused
  const statements = vi.spyOn(pool, 'query')
  const inbox = open()
  const outcomes = await Promise.all(notifications.map((one) => inbox.put(one)))
  expect(outcomes.flatMap(({ kind }, index) => (kind === 'stored' ? [] : [index]))).toEqual([77])
  expect(outcomes[77]).toMatchObject({ kind: 'refused', error: expect.any(Error) })
  // Halved eight times, two statements each.
  expect(statements.mock.calls.length).toBeLessThanOrEqual(17)
})

test('when the answer to a commit is lost, the next try knows what it had stored, and what was a duplicate', async () => {
  const [known, ...fresh] = many(3)
  await storeNotifications(pool, [known!])
  let lost = false
  const flaky = {
    async query(text: string, values: unknown[]) {
      const answer = await pool.query(text, values)
      if (lost) return answer
      lost = true
      throw new Error('Connection terminated unexpectedly')
    },
  } as unknown as pg.Pool
  const inbox = open(flaky)
  const again = notificationOf({ ...testEvent(), id: known!.event_id })
  const outcomes = await Promise.all([...fresh, again].map((one) => inbox.put(one)))
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(['stored', 'stored', 'duplicate'])
})

test('told to stop while the database is away, it interrupts those who wait as well', async () => {
  await pool.query('ALTER TABLE notifications RENAME TO away')
  const inbox = open()
  const outcomes = many(1).map((one) => inbox.put(one))
  const statements = vi.spyOn(pool, 'query')
  await expect.poll(() => statements).toHaveBeenCalled()
  outcomes.push(...many(2).map((one) => inbox.put(one)))
  stop.abort()
  expect((await Promise.all(outcomes)).map((outcome) => outcome.kind)).toEqual(Array(3).fill('interrupted'))
  await pool.query('ALTER TABLE away RENAME TO notifications')
})
