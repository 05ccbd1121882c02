import type pg from 'pg'
import type { EventRow } from '../watch/products.ts'

type Database = Pick<pg.Pool, 'query'>

/** Newest events that a search reads when no index leads to the id: some tens of milliseconds. */
const WINDOW = 50_000
const MOST_SIBLINGS = 50

export interface FoundEvent extends EventRow {
  payload: unknown
  headers: Record<string, string>
  redriven_count: number
  redriven_at: Date | null
  redriven_by: string | null
}

export interface NotificationRow {
  id: string
  event_id: string
  event_type: string
  product_id: string
  title: string
  message: string
  sequence: string
  occurred_at: Date
  received_at: Date
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const TRACE_ID = /^(?:00-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2})?$/i

/** What an id that an operator pasted may be. */
export type SearchedId =
  | { kind: 'uuid'; id: string }
  | { kind: 'trace'; id: string }
  | { kind: 'outbox'; id: string }
  | { kind: 'text'; id: string }

export function readId(typed: string): SearchedId {
  const id = typed.trim()
  const trace = TRACE_ID.exec(id)?.[1]
  if (UUID.test(id)) return { kind: 'uuid', id: id.toLowerCase() }
  if (trace !== undefined) return { kind: 'trace', id: trace.toLowerCase() }
  return { kind: /^\d{1,18}$/.test(id) ? 'outbox' : 'text', id }
}

/** Notifications of the event, of the notification or of the product with this id, newest first. */
export async function findNotifications(db: Database, id: string): Promise<NotificationRow[]> {
  const { rows } = await db.query<NotificationRow>(
    `SELECT id, event_id, event_type, product_id, title, message, sequence::text AS sequence, occurred_at, received_at
     FROM (
       (SELECT * FROM notifications WHERE event_id = $1)
       UNION
       (SELECT * FROM notifications WHERE id = $1)
       UNION
       (SELECT * FROM notifications WHERE product_id = $1 ORDER BY position DESC LIMIT $2)
     ) AS found
     ORDER BY position DESC`,
    [id, MOST_SIBLINGS],
  )
  return rows
}

/** The events of these keys, or with these event ids or this trace, among those that wait and the newest. */
export async function findEvents(
  db: Database,
  { keys, eventIds, trace, outboxId }: { keys: string[]; eventIds: string[]; trace?: string; outboxId?: string },
): Promise<FoundEvent[]> {
  const { rows } = await db.query<FoundEvent>(
    `SELECT DISTINCT ON (id) id, event_id, type, key, lane, payload->'data'->>'name' AS name,
            payload->>'sequence' AS sequence, status, attempts, last_error, created_at, next_attempt_at, processed_at,
            payload, headers, redriven_count, redriven_at, redriven_by
     FROM (
       (SELECT * FROM events WHERE id = $4)
       UNION ALL
       (SELECT * FROM events WHERE status = 'pending' AND (key = ANY ($1) OR event_id = ANY ($2::uuid[])) LIMIT $6)
       UNION ALL
       (SELECT * FROM events WHERE status = 'failed' AND (key = ANY ($1) OR event_id = ANY ($2::uuid[])) LIMIT $6)
       UNION ALL
       (SELECT * FROM events WHERE status = 'dead' AND (key = ANY ($1) OR event_id = ANY ($2::uuid[])) LIMIT $6)
       UNION ALL
       (SELECT * FROM (SELECT * FROM events ORDER BY id DESC LIMIT $5) AS newest
        WHERE key = ANY ($1) OR event_id = ANY ($2::uuid[]) OR headers->>'traceparent' LIKE '00-' || $3::text || '-%'
        LIMIT $6)
     ) AS found
     ORDER BY id DESC`,
    [keys, eventIds, trace ?? null, outboxId ?? null, WINDOW, MOST_SIBLINGS],
  )
  return rows
}

/** The rows of deliveries of one event: their keys begin with the endpoint and end with the product. */
export async function findDeliveries(db: Database, eventId: string): Promise<FoundEvent[]> {
  return findEvents(db, { keys: [], eventIds: [eventId] })
}

export async function findFailure(
  db: Database,
  id: string,
): Promise<
  { message_id: string; event_id: string | null; reason: string; failures: number; last_failed_at: Date } | undefined
> {
  const { rows } = await db.query<{
    message_id: string
    event_id: string | null
    reason: string
    failures: number
    last_failed_at: Date
  }>(
    `SELECT message_id, event_id, reason, failures, last_failed_at
     FROM failed_messages
     WHERE message_id = $1 OR event_id::text = $1
     ORDER BY last_failed_at DESC
     LIMIT 1`,
    [id],
  )
  return rows[0]
}

/** When the oldest event of the window was written: how far back the search looked. */
export async function windowStart(db: Database): Promise<Date | null> {
  const { rows } = await db.query<{ created_at: Date | null }>(
    `SELECT created_at FROM events
     WHERE id >= (SELECT coalesce(max(id), 0) - $1 FROM events)
     ORDER BY id
     LIMIT 1`,
    [WINDOW],
  )
  return rows[0]?.created_at ?? null
}
