import type pg from 'pg'
import type { NewNotification } from './notification.ts'

/**
 * Taken by every storing statement until its commit, so that positions are drawn in the order of commits and a reader
 * that resumes after a position misses nothing. The price is that the batches of several instances commit one after the
 * other; those of one instance do so anyway (see inbox.ts). Any number will do that nothing else locks in this database.
 */
const POSITIONS_LOCK = 7_001

/** A notification that was new. */
export interface Stored {
  id: string
  /** From the event's time to the database having it. */
  delay_seconds: number
}

/**
 * Stores those notifications whose event is not known yet, all or none, in one statement that is its own transaction unless `db` is one.
 * Resolves, after the commit, with the new ones; whatever is missing from them was a duplicate, of an earlier batch or of
 * this one. Rejects with the server's error.
 */
export async function storeNotifications(
  db: Pick<pg.Pool, 'query'>,
  notifications: readonly NewNotification[],
): Promise<Stored[]> {
  const { rows } = await db.query<Stored>(
    `INSERT INTO notifications (id, event_id, event_type, product_id, title, message, sequence, occurred_at)
     SELECT id, event_id, event_type, product_id, title, message, sequence, occurred_at
     FROM (SELECT pg_advisory_xact_lock($2)) AS turn,
          ROWS FROM (
            jsonb_to_recordset($1::jsonb)
              AS (id uuid, event_id uuid, event_type text, product_id uuid, title text, message text,
                  sequence numeric, occurred_at timestamptz)
          ) WITH ORDINALITY
            AS event (id, event_id, event_type, product_id, title, message, sequence, occurred_at, place)
     ORDER BY place
     ON CONFLICT (event_id) DO NOTHING
     RETURNING id, extract(epoch FROM received_at - occurred_at)::float8 AS delay_seconds`,
    [JSON.stringify(notifications), POSITIONS_LOCK],
  )
  return rows
}

/**
 * Those of the notifications with these ids that are stored. A try whose answer was lost may have stored them; then the
 * next try takes their events for duplicates, but of an event that somebody else stored there is no notification of ours.
 */
export async function storedBefore(pool: pg.Pool, ids: readonly string[]): Promise<Stored[]> {
  const { rows } = await pool.query<Stored>(
    `SELECT id, extract(epoch FROM received_at - occurred_at)::float8 AS delay_seconds
     FROM notifications
     WHERE id = ANY($1::uuid[])`,
    [ids],
  )
  return rows
}

/**
 * True if the server refused the data itself: a character or a number that it can't hold (SQLSTATE class 22), a
 * violated constraint (23). False for everything that is no fault of the data: then the same data may do later.
 */
export function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^2[23][0-9A-Z]{3}$/.test(code)
}
