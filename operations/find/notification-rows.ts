import { type Database, withDates } from '../database.ts'
import type { Delivery, FailedMessage, NotificationRow } from './found.ts'
import { type Cost, firstIdAt } from './outbox-rows.ts'

const COLUMNS = `id, event_id, event_type, product_id, title, message, sequence::text AS sequence,
  to_json(occurred_at) AS occurred_at, to_json(received_at) AS received_at`
/** The consumer keeps failures of 28 days; the newest of them are looked through for an event. */
const NEWEST_FAILURES = 20_000
/** Deliveries are written right after their notification, those of one notification side by side. */
const DELIVERY_WINDOWS = [2_000, 40_000]
const BEFORE_MS = 100

/** By the id of the event, of the notification, or of the product: each has an index. Newest first. */
export async function findNotifications(db: Database, id: string, limit: number): Promise<NotificationRow[]> {
  const { rows } = await db.query<NotificationRow>(
    `SELECT ${COLUMNS} FROM (
       (SELECT * FROM public.notifications WHERE event_id = $1)
       UNION
       (SELECT * FROM public.notifications WHERE id = $1)
       UNION
       (SELECT * FROM public.notifications WHERE product_id = $1 ORDER BY position DESC LIMIT $2)
     ) AS found
     ORDER BY position DESC
     LIMIT $2`,
    [id, limit],
  )
  return withDates(rows, 'occurred_at', 'received_at')
}

export async function findByEventIds(db: Database, eventIds: readonly string[]): Promise<NotificationRow[]> {
  const { rows } = await db.query<NotificationRow>(
    `SELECT ${COLUMNS} FROM public.notifications WHERE event_id = ANY ($1::uuid[])`,
    [eventIds],
  )
  return withDates(rows, 'occurred_at', 'received_at')
}

/** What the consumer noted of messages with this id, or of this event. */
export async function findFailures(db: Database, ids: readonly string[]): Promise<FailedMessage[]> {
  const { rows } = await db.query<FailedMessage>(
    `SELECT message_id, event_id, reason, failures,
            to_json(first_failed_at) AS first_failed_at, to_json(last_failed_at) AS last_failed_at
     FROM (
       (SELECT * FROM public.failed_messages WHERE message_id = ANY ($1::text[]))
       UNION
       (SELECT * FROM (SELECT * FROM public.failed_messages ORDER BY last_failed_at DESC LIMIT $2) AS newest
        WHERE event_id::text = ANY ($1::text[]))
     ) AS found
     ORDER BY found.last_failed_at DESC
     LIMIT 100`,
    [ids, NEWEST_FAILURES],
  )
  return withDates(rows, 'first_failed_at', 'last_failed_at')
}

type DeliveryRow = Omit<Delivery, 'destination' | 'delivered_at'> & { key: string; processed_at: Date | null }

/** The deliveries of one notification. Empty: there is no channel, or they are delivered and no longer kept. */
export async function findDeliveries(
  db: Database,
  { event_id, received_at }: NotificationRow,
  cost: Cost,
): Promise<Delivery[]> {
  const first = await firstIdAt(db, new Date(received_at.getTime() - BEFORE_MS), cost)
  if (first === null) return []
  let found: DeliveryRow[] = []
  for (const size of DELIVERY_WINDOWS) {
    cost.rows += size
    found = await deliveriesFrom(db, event_id, first, size)
    if (found.length > 0) break
  }
  return found.map(({ key, processed_at, ...row }) => ({
    ...row,
    destination: key.slice(0, key.lastIndexOf(':')),
    delivered_at: processed_at,
  }))
}

async function deliveriesFrom(db: Database, eventId: string, first: string, size: number): Promise<DeliveryRow[]> {
  const { rows } = await db.query<DeliveryRow>(
    `SELECT id, key, status, attempts, to_json(created_at) AS created_at, to_json(processed_at) AS processed_at,
            to_json(next_attempt_at) AS next_attempt_at, last_error
     FROM public.events
     WHERE id BETWEEN $2::bigint AND $2::bigint + $3::bigint AND event_id = $1
     ORDER BY id
     LIMIT 100`,
    [eventId, first, size],
  )
  return withDates(rows, 'created_at', 'processed_at', 'next_attempt_at')
}
