import { expect, inject, test } from 'vitest'
import { freshOutbox } from '../testing/outbox.ts'
import { readStatus, statusText } from './status.ts'
import { outboxTables } from '../database.ts'

test('status counts up to ten thousand processed events, and from then on costs no more', async () => {
  const db = await freshOutbox(inject('postgresUrl'))
  const add = (count: number) =>
    db.query(
      `INSERT INTO events (event_id, key, type, payload, status)
       SELECT gen_random_uuid(), '', '', '{}', 'processed' FROM generate_series(1, $1)`,
      [count],
    )
  await db.query('ALTER TABLE events SET (autovacuum_enabled = false)')
  await add(10_000)
  expect(await readStatus(outboxTables(db))).toMatchObject({ events: { processed: 10_000 }, processed_is: 'exact' })
  await add(500)
  // The table was not analysed, so the number is unknown.
  expect(statusText(await readStatus(outboxTables(db)))).toMatch(/processed +at least 10001 /)
  await db.query('ANALYZE events')
  expect(statusText(await readStatus(outboxTables(db)))).toMatch(/processed +about 10500 /)
  await db.end()
})
