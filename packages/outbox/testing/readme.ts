/** The code of README.md as it stands there, a region a block, so that the compiler checks it and a test runs it. */
import type { SNSClient } from '@aws-sdk/client-sns'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createOutbox, route, type Send } from '@product-events/outbox'
import { drizzle } from '@product-events/outbox/adapters'
import { sendToSns } from '@product-events/outbox/sns'
import { sendToSqs } from '@product-events/outbox/sqs'
import { eq, sql } from 'drizzle-orm'
import { drizzle as drizzleOf } from 'drizzle-orm/node-postgres'
import { boolean, pgTable, text } from 'drizzle-orm/pg-core'
import type pg from 'pg'

const orders = pgTable('orders', { id: text().primaryKey(), paid: boolean() })

export async function useDrizzle(pool: pg.Pool, id: string) {
  const outbox = createOutbox<{ 'order.paid': { id: string } }>({ schema: 'public' })
  const db = drizzleOf(pool)
  // #region orm
  await db.transaction(async (tx) => {
    await tx.update(orders).set({ paid: true }).where(eq(orders.id, id))
    await outbox.append(drizzle(tx, sql), [{ key: id, type: 'order.paid', payload: { id } }])
  })
  // #endregion
}

export function useRoute(sns: SNSClient, topicArn: string, sqs: SQSClient, queueUrl: string): Send {
  // #region route
  const send = route({ 'order.*': sendToSns({ sns, topicArn }), default: sendToSqs({ sqs, queueUrl }) })
  // #endregion
  return send
}
