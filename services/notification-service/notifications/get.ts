import type pg from 'pg'
import { fromRow, type NotificationRow } from './row.ts'
import type { Notification } from './schemas.ts'

/** The notification of that id, or undefined. Rejects (22P02) when `id` is no UUID. */
export async function getNotification(pool: pg.Pool, id: string): Promise<Notification | undefined> {
  const { rows } = await pool.query<NotificationRow>(
    `SELECT id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at
     FROM notifications
     WHERE id = $1`,
    [id],
  )
  return rows[0] && fromRow(rows[0])
}
