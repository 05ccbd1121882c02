import type pg from 'pg'
import { withDates } from '../../database.ts'
import type { Item } from './groups.ts'

/** More than an operator reads; a redrive takes all of them in several rounds. */
export const MOST = 10_000

interface Row {
  id: string
  event_id: string
  key: string
  type: string
  name: string | null
  endpoint: string | null
  last_error: string | null
  attempts: number
  created_at: Date
}

/** The dead rows of an outbox, oldest first: events of product-service, deliveries of notification-service. */
export async function deadItems(db: Pick<pg.Pool, 'query'>): Promise<Item[]> {
  const { rows } = await db.query<Row>(
    `SELECT id, event_id, key, type, payload->'data'->>'name' AS name, headers->>'endpoint' AS endpoint,
            left(last_error, 500) AS last_error, attempts, to_json(created_at) AS created_at
     FROM public.events
     WHERE status = 'dead'
     ORDER BY id
     LIMIT $1`,
    [MOST],
  )
  return withDates(rows, 'created_at').map(
    ({ id, event_id, key, type, name, endpoint, last_error, attempts, created_at }) => ({
      id,
      event_id,
      type,
      about: endpoint === null ? (name ?? key) : `to ${endpoint}`,
      product: key,
      reason: last_error ?? 'no reason noted',
      attempts,
      at: created_at,
    }),
  )
}
