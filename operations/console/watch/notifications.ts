import type pg from 'pg'
import { withDates } from '../../database.ts'

type Database = Pick<pg.Pool, 'query'>

/** When each of these events was stored as a notification, by event id. */
export async function storedAt(db: Database, eventIds: readonly string[]): Promise<Map<string, Date>> {
  if (eventIds.length === 0) return new Map()
  const { rows } = await db.query<{ event_id: string; received_at: Date }>(
    `SELECT event_id, to_json(received_at) AS received_at FROM public.notifications WHERE event_id = ANY ($1::uuid[])`,
    [eventIds],
  )
  return new Map(withDates(rows, 'received_at').map(({ event_id, received_at }) => [event_id, received_at]))
}

export interface FailingMessage {
  message_id: string
  event_id: string | null
  reason: string
  failures: number
  first_failed_at: Date
  last_failed_at: Date
}

/**
 * A message that fails comes back after its visibility timeout of 30 s; after three of them it is not failing any more.
 */
const FAILING_SECONDS = 100
const MOST_FAILING = 10_000

/** Messages whose last receive failed and that SQS will give again. */
export async function failingMessages(db: Database, maxReceives: number): Promise<FailingMessage[]> {
  const { rows } = await db.query<FailingMessage>(
    `SELECT message_id, event_id, left(reason, 500) AS reason, failures,
            to_json(first_failed_at) AS first_failed_at, to_json(last_failed_at) AS last_failed_at
     FROM public.failed_messages
     WHERE last_failed_at > clock_timestamp() - $1 * interval '1 second' AND failures < $2
     ORDER BY failed_messages.last_failed_at DESC
     LIMIT $3`,
    [FAILING_SECONDS, maxReceives, MOST_FAILING],
  )
  return withDates(rows, 'first_failed_at', 'last_failed_at')
}

export async function disabledEndpoints(db: Database): Promise<{ endpoint: string; reason: string }[]> {
  const { rows } = await db.query<{ endpoint: string; reason: string }>(
    'SELECT endpoint, reason FROM public.disabled_endpoints ORDER BY endpoint',
  )
  return rows
}
