import type pg from 'pg'
import type { NewNotification } from './notification.ts'

/**
 * Taken by every storing statement until its commit, so that positions are drawn in the order of commits and a reader
 * that resumes after a position misses nothing. The batches of several instances commit one after the other; those of
 * one instance do so anyway (see packages/inbox/group-commit.ts). Any number will do that nothing else locks in this
 * database.
 */
const POSITIONS_LOCK = 7_001

/** A notification that was new. */
export interface Inserted {
  id: string
  /** From the event's time to the database having it. */
  delay_seconds: number
}

/**
 * Stores those notifications whose event is not known yet, all or none, in their order, in one statement that is its
 * own transaction unless `db` is one. `contents` has the content hash of each, by the id of the notification.
 *
 * Resolves, after the commit, with the new ones; any other was a duplicate, of an earlier batch or of this one. Only
 * `event_id` makes a duplicate. Rejects with the server's error.
 */
export async function storeNotifications(
  db: Pick<pg.Pool, 'query'>,
  notifications: readonly NewNotification[],
  contents?: ReadonlyMap<string, string>,
): Promise<Inserted[]> {
  const rowsToStore = notifications.map((one) => ({ ...one, content_hash: contents?.get(one.id) ?? null }))
  const { rows } = await db.query<Inserted>(
    `INSERT INTO public.notifications
       (id, event_id, event_type, product_id, title, message, sequence, occurred_at, content_hash)
     SELECT id, event_id, event_type, product_id, title, message, sequence, occurred_at, content_hash
     FROM (SELECT pg_advisory_xact_lock($2)) AS turn,
          ROWS FROM (
            jsonb_to_recordset($1::jsonb)
              AS (id uuid, event_id uuid, event_type text, product_id uuid, title text, message text,
                  sequence numeric, occurred_at timestamptz, content_hash bigint)
          ) WITH ORDINALITY
            AS event (id, event_id, event_type, product_id, title, message, sequence, occurred_at, content_hash, place)
     ORDER BY place
     ON CONFLICT (event_id) DO NOTHING
     RETURNING id, extract(epoch FROM received_at - occurred_at)::float8 AS delay_seconds`,
    [JSON.stringify(rowsToStore), POSITIONS_LOCK],
  )
  return rows
}

/** A notification that is there, as far as it tells a retry from a duplicate. */
export interface Found extends Inserted {
  event_id: string
  /** None when an earlier version stored it. */
  content_hash: string | null
}

/** The notifications of these events, by event id. */
export async function findStored(db: Pick<pg.Pool, 'query'>, eventIds: readonly string[]): Promise<Map<string, Found>> {
  const { rows } = await db.query<Found>(
    `SELECT id, event_id, content_hash::text, extract(epoch FROM received_at - occurred_at)::float8 AS delay_seconds
     FROM public.notifications
     WHERE event_id = ANY($1::uuid[])`,
    [eventIds],
  )
  return new Map(rows.map((row) => [row.event_id, row]))
}
