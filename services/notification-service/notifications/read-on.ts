import type pg from 'pg'
import type { Filter } from './filter.ts'
import { fromRow, type NotificationRow } from './row.ts'
import type { Notification } from './schemas.ts'

/** Before the first notification. Also the id of the place, for a reader that wants all notifications. */
export const BEGINNING: Place = { position: 0n, id: '00000000-0000-0000-0000-000000000000' }
/** Texts in one page: a page of long notifications is cut here, whatever its limit. */
const MAX_PAGE_BYTES = 256 * 1024

/** Where a reader is: behind the notification with that position and that id. */
export interface Place {
  position: bigint
  id: string
}

/** A notification at its place, and as it goes out to every stream: written once, sent often. */
export interface Placed extends Place {
  notification: Notification
  block: Buffer
}

export interface PageOfPlaces {
  placed: Placed[]
  /** There may be more where these are. */
  more: boolean
}

export interface ReadOnOptions {
  after: Place
  /** No further than this position. */
  until?: bigint
  limit: number
}

/**
 * The next notifications, oldest first, at most `limit`, all behind `after`. Positions are drawn in the order of
 * commits (see store.ts), so none will ever appear below the last one.
 *
 * Undefined when the notification of `after` is gone, or another one has its position: the database was set back, and
 * the reader's place means nothing in it.
 */
export async function readOn(
  pool: pg.Pool,
  { product_id, event_type }: Filter,
  { after, until, limit }: ReadOnOptions,
): Promise<PageOfPlaces | undefined> {
  const { rows } = await pool.query<NotificationRow & { known_id: string | null; found: number }>(
    `SELECT known.id AS known_id, page.*
     FROM (SELECT (SELECT id FROM public.notifications WHERE position = $1) AS id) AS known
     LEFT JOIN LATERAL (
       SELECT found, position, id, event_id, event_type, product_id, title, message, sequence,
              to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS occurred_at,
              to_char(received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_at
       FROM (
         SELECT count(*) OVER ()::int AS found, next.*,
                sum(octet_length(title) + octet_length(message) + octet_length(event_type))
                  OVER (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
         FROM (
           SELECT * FROM public.notifications
           WHERE position > $1 AND ($2::bigint IS NULL OR position <= $2)
             AND ($4::uuid IS NULL OR product_id = $4)
             AND ($5::text IS NULL OR event_type = $5)
           ORDER BY position
           LIMIT $3
         ) AS next
       ) AS counted
       WHERE coalesce(bytes_before, 0) < $6
     ) AS page ON true
     ORDER BY position`,
    [after.position, until, limit, product_id, event_type, MAX_PAGE_BYTES],
  )
  if (after.position !== BEGINNING.position && rows[0]?.known_id !== after.id) return undefined
  const placed = rows.filter(({ position }) => position !== null).map(placedOf)
  const found = rows[0]?.found ?? 0
  return { placed, more: found === limit || found > placed.length }
}

function placedOf(row: NotificationRow): Placed {
  const notification = fromRow(row)
  const block = Buffer.from(`id: ${row.id}\ndata: ${JSON.stringify(notification)}\n\n`)
  return { position: BigInt(row.position), id: row.id, notification, block }
}

/** Behind every notification that is stored by now. */
export async function newestPlace(pool: pg.Pool): Promise<Place> {
  const { rows } = await pool.query<{ position: string; id: string }>(
    'SELECT position, id FROM public.notifications ORDER BY position DESC LIMIT 1',
  )
  return rows[0] ? { position: BigInt(rows[0].position), id: rows[0].id } : BEGINNING
}
