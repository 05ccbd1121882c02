import type pg from 'pg'
import type { Filter } from './filter.ts'
import { fromRow, type NotificationRow } from './row.ts'
import type { Notification } from './schemas.ts'

/** Above every position there is: the largest bigint. */
const NEWEST = '9223372036854775807'

export interface Page {
  notifications: Notification[]
  /** The position to list before for the next page; undefined on the last one. */
  next: string | undefined
}

/** Newest first, at most `limit`, all older than the position `before`. A page costs the same wherever it is. */
export async function listNotifications(
  pool: pg.Pool,
  { product_id, event_type }: Filter,
  limit: number,
  before: string = NEWEST,
): Promise<Page> {
  const { rows } = await pool.query<NotificationRow & { position: string }>(
    `SELECT position, id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at
     FROM notifications
     WHERE position < $1
       AND ($3::uuid IS NULL OR product_id = $3)
       AND ($4::text IS NULL OR event_type = $4)
     ORDER BY position DESC
     LIMIT $2`,
    // One more than asked for tells whether there is another page.
    [before, limit + 1, product_id, event_type],
  )
  const page = rows.slice(0, limit)
  return {
    notifications: page.map(({ position: _position, ...row }) => fromRow(row)),
    next: rows.length > limit ? page.at(-1)?.position : undefined,
  }
}
