import { connect } from '@product-events/database'
import { freshDatabase, freshQueue } from '@product-events/local'
import { outboxMigrations } from '@product-events/outbox'
import type pg from 'pg'
import { notificationMigrations } from '../../services/notification-service/migrations.ts'
import { productMigrations } from '../../services/product-service/migrations.ts'
import { findQueues, type Queues } from '@product-events/inbox/command'

/** Both services' databases and a queue, without the services: each test puts an event where it wants it. */
export async function freshSources(postgresUrl: string, sqsEndpoint: string) {
  const pool = (databaseUrl: string): pg.Pool =>
    connect({ databaseUrl, applicationName: 'test', maxConnections: 4, onIdleError: () => {} })
  const productsUrl = await freshDatabase(postgresUrl, outboxMigrations, productMigrations)
  const notificationsUrl = await freshDatabase(postgresUrl, outboxMigrations, notificationMigrations)
  const [products, notifications] = [pool(productsUrl), pool(notificationsUrl)]
  const { sqs, queue } = await freshQueue(sqsEndpoint)
  let queues: Promise<Queues> | undefined
  return {
    productsUrl,
    notificationsUrl,
    products,
    notifications,
    sqs,
    queue,
    queues: () => (queues ??= findQueues(sqs, { queueName: queue.name, queueUrl: queue.url })),
    async close() {
      sqs.destroy()
      await Promise.all([products.end(), notifications.end()])
    },
  }
}

/** A UUIDv7 of the moment `at` (an SQL expression), told apart by the number `n`. */
const uuidv7 = (at: string, n: string) =>
  `(lpad(to_hex((extract(epoch FROM ${at}) * 1000)::bigint), 12, '0') || '7' || substr(md5(${n}::text), 1, 3)
    || '8' || substr(md5(${n}::text), 4, 15))::uuid`

/**
 * Fills the outbox with the history of `count` products of one event each, a millisecond apart, all published; and
 * stores the notification of number `n`, whose ids it returns.
 */
export async function fillHistory(
  { products, notifications }: { products: pg.Pool; notifications: pg.Pool },
  count: number,
  n: number,
): Promise<{ eventId: string; productId: string; notificationId: string }> {
  const client = await products.connect()
  try {
    const slow = (text: string, values: unknown[] = []) =>
      client.query({ text, values, query_timeout: 900_000 } as pg.QueryConfig)
    await slow('SET statement_timeout = 0')
    await slow(
      `INSERT INTO events (event_id, key, type, payload, status, created_at, processed_at)
       SELECT ${uuidv7('at', "'e' || n")}, ${uuidv7('at', "'p' || n")}::text, 'product.created', '{"sequence": "1"}',
              'processed', at, at + interval '5 milliseconds'
       FROM generate_series(1, $1::int) AS n, LATERAL (
         SELECT date_trunc('hour', clock_timestamp()) - ($1::int - n) * interval '1 millisecond' - interval '1 hour' AS at
       ) AS time`,
      [count],
    )
    await slow('VACUUM ANALYZE events')
  } finally {
    client.release(true)
  }
  const { rows } = await products.query<{ event_id: string; key: string; created_at: Date }>(
    'SELECT event_id, key, created_at FROM events WHERE id = $1',
    [n],
  )
  const { event_id: eventId, key: productId, created_at: at } = rows[0]!
  const stored = await notifications.query<{ id: string }>(
    `INSERT INTO notifications
       (id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at)
     VALUES (${uuidv7('$3::timestamptz', "'n'")}, $1, 'product.created', $2, '', '', 1, $3, $3)
     RETURNING id`,
    [eventId, productId, at],
  )
  await products.query(
    `INSERT INTO products (id, name, description, price, version, created_at, updated_at) VALUES ($1, 'Tea', '', 1, 1, $2, $2)`,
    [productId, at],
  )
  return { eventId, productId, notificationId: stored.rows[0]!.id }
}
