import type pg from 'pg'
import type { Filter } from './filter.ts'
import { fromRow, type NotificationRow } from './row.ts'
import type { Notification } from './schemas.ts'

/** Before the first notification. Also the id of the place, for a reader that wants everything there is. */
export const BEGINNING: Place = { position: 0n, id: '00000000-0000-0000-0000-000000000000' }

/** Where a reader is: behind the notification with that position and that id. */
export interface Place {
  position: bigint
  id: string
}

/** A notification at its place. */
export interface Placed extends Place {
  notification: Notification
}

/**
 * Oldest first, at most `limit`, all behind `after` and none behind `until`. Positions are drawn in the order of commits
 * (see store.ts), so nothing will ever appear below the last one.
 */
export async function readOn(
  pool: pg.Pool,
  { product_id, event_type }: Filter,
  { after, until, limit }: { after: bigint; until?: bigint; limit: number },
): Promise<Placed[]> {
  const { rows } = await pool.query<NotificationRow & { position: string }>(
    `SELECT position, id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at
     FROM notifications
     WHERE position > $1 AND ($2::bigint IS NULL OR position <= $2)
       AND ($4::uuid IS NULL OR product_id = $4)
       AND ($5::text IS NULL OR event_type = $5)
     ORDER BY position
     LIMIT $3`,
    [after, until, limit, product_id, event_type],
  )
  return rows.map(({ position, ...row }) => ({
    position: BigInt(position),
    id: row.id,
    notification: fromRow(row),
  }))
}

/** Behind everything that is stored by now. */
export async function newestPlace(pool: pg.Pool): Promise<Place> {
  const { rows } = await pool.query<{ position: string; id: string }>(
    'SELECT position, id FROM notifications ORDER BY position DESC LIMIT 1',
  )
  return rows[0] ? { position: BigInt(rows[0].position), id: rows[0].id } : BEGINNING
}

/** Behind the notification of that id, or undefined if there is none (any more). */
export async function findPlace(pool: pg.Pool, id: string): Promise<Place | undefined> {
  if (id === BEGINNING.id) return BEGINNING
  const { rows } = await pool.query<{ position: string }>('SELECT position FROM notifications WHERE id = $1', [id])
  return rows[0] && { position: BigInt(rows[0].position), id }
}
