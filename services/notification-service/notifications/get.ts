import type pg from 'pg'
import type { Notification } from './schemas.ts'

/** The notification of that id, or undefined. Rejects (22P02) when `id` is not a UUID. */
export async function getNotification(pool: pg.Pool, id: string): Promise<Notification | undefined> {
  const { rows } = await pool.query<Notification>(
    `SELECT id, event_id, event_type, product_id, title, message, sequence,
            to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS occurred_at,
            to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_at
     FROM public.notifications
     WHERE id = $1`,
    [id],
  )
  return rows[0]
}
