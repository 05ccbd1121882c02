import { GetQueueAttributesCommand, type QueueAttributeName } from '@aws-sdk/client-sqs'
import type pg from 'pg'
import type { Acceptance, StoredEvent, StoredNotification, StoredProduct } from '../history/history.ts'
import { countUnderWay } from './receivers.ts'
import type { CrashStack } from './crash-stack.ts'

type Direct = CrashStack['direct']

/** What the databases had when a round began: it is about what came later. */
export interface Marks {
  /** The last id of the outbox. */
  event: string
  /** How much the well-behaved webhook endpoint had received. */
  received: number
  /** The last position of the notifications. */
  position: string
  /** Its id; zeros when there is none. */
  notification: string
}

export async function readMarks({ direct, receivers }: CrashStack): Promise<Marks> {
  const { products, notifications } = direct
  const events = await products.query<{ last: string }>('SELECT coalesce(max(id), 0) AS last FROM events')
  const stored = await notifications.query<{ position: string; id: string }>(
    'SELECT position, id FROM notifications ORDER BY position DESC LIMIT 1',
  )
  const last = stored.rows[0] ?? { position: '0', id: '00000000-0000-0000-0000-000000000000' }
  const received = receivers.received.length
  return { event: events.rows[0]?.last ?? '0', received, position: last.position, notification: last.id }
}

export async function readEvents(products: pg.Pool, after: string): Promise<StoredEvent[]> {
  const { rows } = await products.query<StoredEvent>(
    `SELECT id, event_id AS "eventId", key AS "productId", type, (payload->>'sequence')::int AS sequence,
            payload->'data'->>'name' AS label, status
     FROM events WHERE id > $1 ORDER BY id`,
    [after],
  )
  return rows
}

/** Of this round, by the label that begins their names. */
export async function readProducts(products: pg.Pool, label: string): Promise<StoredProduct[]> {
  const { rows } = await products.query<StoredProduct>(`SELECT id, version FROM products WHERE starts_with(name, $1)`, [
    label,
  ])
  return rows
}

export async function readNotifications(notifications: pg.Pool, after: string): Promise<StoredNotification[]> {
  const { rows } = await notifications.query<StoredNotification>(
    `SELECT event_id AS "eventId", product_id AS "productId", event_type AS type, sequence::int AS sequence
     FROM notifications WHERE position > $1 ORDER BY position`,
    [after],
  )
  return rows
}

/** What the front saw accepted, by the body of the message. */
export function acceptance(body: string): Acceptance {
  const { id, subject, sequence } = JSON.parse(body) as { id: string; subject: string; sequence: string }
  return { eventId: id, productId: subject, sequence: Number(sequence) }
}

/** Everything that is still under way; all of it is 0 once everything has drained. */
export async function readUnderWay({ products, notifications, sqs, queueUrl }: Direct) {
  const AttributeNames = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ] as const satisfies QueueAttributeName[]
  // One after the other, the way that events go: what leaves the outbox meanwhile is seen on the queue.
  const events = await products.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM events WHERE status IN ('pending', 'failed')",
  )
  // A transaction whose client was cut off may still commit, or hold a row, until the server ends it.
  const open = await notifications.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'",
  )
  const queue = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...AttributeNames] }),
  )
  return {
    deliveries: await countUnderWay(notifications),
    events: events.rows[0]?.count ?? 0,
    transactions: open.rows[0]?.count ?? 0,
    messages: AttributeNames.reduce((sum, name) => sum + Number(queue.Attributes?.[name] ?? 0), 0),
  }
}
