import type pg from 'pg'

/** Why handling a message failed, once more. */
export interface Failure {
  message_id: string
  /** None when the message was no event. */
  event_id: string | null
  reason: string
}

export interface FailedMessage extends Failure {
  failures: number
  first_failed_at: Date
  last_failed_at: Date
}

/** Twice as long as SQS keeps a message, so that a reason outlives its message in the dead-letter queue. */
const KEEP_DAYS = 28

/** Remembers each failure under the id of its message, and forgets those that are too old for any message. */
export async function noteFailures(db: Pick<pg.Pool, 'query'>, failures: readonly Failure[]): Promise<void> {
  if (failures.length === 0) return
  await db.query(
    `WITH outlived AS (DELETE FROM failed_messages WHERE last_failed_at < clock_timestamp() - $2 * interval '1 day')
     INSERT INTO failed_messages (message_id, event_id, reason)
     SELECT DISTINCT ON (message_id) message_id, event_id, reason
     FROM jsonb_to_recordset($1::jsonb) AS failure (message_id text, event_id uuid, reason text)
     ORDER BY message_id
     ON CONFLICT (message_id) DO UPDATE
       SET reason = excluded.reason, failures = failed_messages.failures + 1, last_failed_at = clock_timestamp()`,
    [JSON.stringify(failures.map((failure) => ({ ...failure, reason: storable(failure.reason) }))), KEEP_DAYS],
  )
}

/** By message id. */
export async function findFailures(
  db: Pick<pg.Pool, 'query'>,
  messageIds: readonly string[],
): Promise<Map<string, FailedMessage>> {
  const { rows } = await db.query<FailedMessage>(
    `SELECT message_id, event_id, reason, failures, first_failed_at, last_failed_at
     FROM failed_messages
     WHERE message_id = ANY ($1)`,
    [messageIds],
  )
  return new Map(rows.map((row) => [row.message_id, row]))
}

/** Reasons quote what senders wrote: U+0000 and halves of surrogate pairs have no place in a database's text. */
function storable(reason: string): string {
  return reason.replaceAll('\u0000', '').toWellFormed()
}
