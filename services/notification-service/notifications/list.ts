import type pg from 'pg'
import type { Filter } from './filter.ts'
import { fromRow, type NotificationRow } from './row.ts'
import type { Notification } from './schemas.ts'

/** Above every position there is: the largest bigint. */
const NEWEST = '9223372036854775807'
/** Texts in one page: a page of long notifications is shorter than its limit. */
const MAX_PAGE_BYTES = 1024 * 1024

export interface Page {
  notifications: Notification[]
  /** The position to list before for the next page; undefined on the last one. */
  next: string | undefined
}

/**
 * Newest first, at most `limit`, all older than the position `before`. A page costs the same wherever it is, and ends
 * before its limit when its texts are longer than `MAX_PAGE_BYTES`.
 */
export async function listNotifications(
  pool: pg.Pool,
  { product_id, event_type }: Filter,
  limit: number,
  before: string = NEWEST,
): Promise<Page> {
  const { rows } = await pool.query<NotificationRow & { found: number }>(
    `SELECT found, position, id, event_id, event_type, product_id, title, message, sequence,
            to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS occurred_at,
            to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_at
     FROM (
       SELECT count(*) OVER ()::int AS found, next.*,
              sum(octet_length(title) + octet_length(message) + octet_length(event_type))
                OVER (ORDER BY position DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
       FROM (
         SELECT * FROM public.notifications
         WHERE position < $1
           AND ($3::uuid IS NULL OR product_id = $3)
           AND ($4::text IS NULL OR event_type = $4)
         ORDER BY position DESC
         LIMIT $2
       ) AS next
     ) AS counted
     WHERE coalesce(bytes_before, 0) < $5
     ORDER BY position DESC`,
    // One more than asked for shows whether there is another page.
    [before, limit + 1, product_id, event_type, MAX_PAGE_BYTES],
  )
  const page = rows.slice(0, limit)
  return {
    notifications: page.map(fromRow),
    next: (rows[0]?.found ?? 0) > page.length ? page.at(-1)?.position : undefined,
  }
}
