import { rowsOf, type Sql } from './database.ts'
import type { RecordTarget } from './record.ts'

/** Why handling a message failed. */
export interface Failure {
  message_id: string
  /** None when the message was not an event. */
  event_id: string | null
  reason: string
}

export interface FailedMessage extends Failure {
  failures: number
  /** RFC 3339 in UTC. */
  first_failed_at: string
  last_failed_at: string
}

/** Twice as long as SQS keeps a message, so that a reason outlives its message in the dead-letter queue. */
const KEEP_DAYS = 28
/** Code points: a reason may quote a whole message. */
const REASON_LENGTH = 1_000
/** Characters that move a cursor, start an escape sequence, turn the reading direction, or don't fit PostgreSQL. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu

/** Remembers each failure under the id of its message, and forgets those that are too old for any message. */
export async function noteFailures(sql: Sql, target: RecordTarget, failures: readonly Failure[]): Promise<void> {
  if (failures.length === 0) return
  const harmless = failures.map(({ message_id, event_id, reason }) => ({
    message_id: harmlessText(message_id),
    event_id: event_id === null ? null : harmlessText(event_id),
    reason: harmlessText(reason),
  }))
  await sql.query(
    `WITH outlived AS (
       DELETE FROM ${target.schema}.failed_messages WHERE last_failed_at < clock_timestamp() - $1 * interval '1 day'
     )
     INSERT INTO ${target.schema}.failed_messages AS failed (consumer, message_id, event_id, reason)
     SELECT DISTINCT ON (message_id) $2::text, message_id, event_id, reason
     FROM jsonb_to_recordset($3::text::jsonb) AS failure (message_id text, event_id text, reason text)
     ORDER BY message_id
     ON CONFLICT (message_id) DO UPDATE
       SET reason = excluded.reason, failures = failed.failures + 1, last_failed_at = clock_timestamp()`,
    [KEEP_DAYS, target.consumer, JSON.stringify(harmless)],
  )
}

/** Forgets the failures of messages that were handled at last. */
export async function forgetFailures(sql: Sql, target: RecordTarget, messageIds: readonly string[]): Promise<void> {
  if (messageIds.length === 0) return
  await sql.query(
    `DELETE FROM ${target.schema}.failed_messages
     WHERE message_id IN (SELECT jsonb_array_elements_text($1::text::jsonb))`,
    [JSON.stringify(messageIds)],
  )
}

/** By message id. */
export async function findFailures(
  sql: Sql,
  target: RecordTarget,
  messageIds: readonly string[],
): Promise<Map<string, FailedMessage>> {
  const rows = rowsOf<FailedMessage>(
    await sql.query(
      `SELECT message_id, event_id, reason, failures,
         to_char(first_failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS first_failed_at,
         to_char(last_failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_failed_at
       FROM ${target.schema}.failed_messages
       WHERE message_id IN (SELECT jsonb_array_elements_text($1::text::jsonb))`,
      [JSON.stringify(messageIds)],
    ),
  )
  return new Map(rows.map((row) => [row.message_id, row]))
}

/** Messages whose last failure is younger than `seconds`, newest first; those of all consumers if it has no name. */
export async function recentFailures(
  sql: Sql,
  target: RecordTarget,
  { seconds, limit }: { seconds: number; limit: number },
): Promise<FailedMessage[]> {
  return rowsOf<FailedMessage>(
    await sql.query(
      `SELECT message_id, event_id, reason, failures,
         to_char(first_failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS first_failed_at,
         to_char(last_failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_failed_at
       FROM ${target.schema}.failed_messages AS failed
       WHERE ($1::text = '' OR consumer = $1) AND failed.last_failed_at > clock_timestamp() - $2 * interval '1 second'
       ORDER BY failed.last_failed_at DESC
       LIMIT $3`,
      [target.consumer, seconds, limit],
    ),
  )
}

/** One line without control characters, cut to a length that a screen and an index bear. */
export function harmlessText(text: string, length = REASON_LENGTH): string {
  const points = Array.from(text.slice(0, 4 * length).replaceAll(HARMFUL, ' '))
  return points.length > length ? `${points.slice(0, length - 1).join('')}…` : points.join('')
}
