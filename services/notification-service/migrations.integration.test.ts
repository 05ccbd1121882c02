import { randomUUID } from 'node:crypto'
import { afterEach, expect, inject, test } from 'vitest'
import { testConsumer, testEvent } from './testing/consumer.ts'

let close = async () => {}
afterEach(() => close())

test('the version before still runs on the tables of this one: it notes failures and stores notifications as it did', async () => {
  const t = await testConsumer({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') })
  close = t.close
  const event = testEvent()
  const failure = { message_id: 'm', event_id: event.id, reason: 'the database refuses it' }
  // The statements of version 1.0.0.
  for (let receive = 1; receive <= 2; receive++) {
    await t.pool.query(
      `INSERT INTO failed_messages (message_id, event_id, reason)
       SELECT DISTINCT ON (message_id) message_id, event_id, reason
       FROM jsonb_to_recordset($1::jsonb) AS failure (message_id text, event_id uuid, reason text)
       ORDER BY message_id
       ON CONFLICT (message_id) DO UPDATE
         SET reason = excluded.reason, failures = failed_messages.failures + 1, last_failed_at = clock_timestamp()`,
      [JSON.stringify([failure])],
    )
  }
  await t.pool.query(
    `INSERT INTO notifications (id, event_id, event_type, product_id, title, message, sequence, occurred_at)
     VALUES ($1, $2, $3, $4, '', '', 1, now()) ON CONFLICT (event_id) DO NOTHING`,
    [randomUUID(), event.id, event.type, event.subject],
  )
  const { rows } = await t.pool.query('SELECT consumer, event_id, failures FROM failed_messages')
  expect(rows).toEqual([{ consumer: 'notification-service', event_id: event.id, failures: 2 }])

  // What that version stored has no hash: its events are duplicates, and none of them is called different.
  await t.send([event])
  await t.handleUntil(t.queueIsEmpty)
  expect(t.logged('duplicate')).toHaveLength(1)
  expect(t.logged('an event with the id of another one')).toEqual([])
})
