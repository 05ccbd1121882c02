/** The code of README.md as it stands there, a region a block, so that the compiler checks it and a test runs it. */
import type { SNSClient } from '@aws-sdk/client-sns'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createOutbox, route, type Send } from '@product-events/outbox'
import { drizzle } from '@product-events/outbox/adapters'
import { sendToSns } from '@product-events/outbox/sns'
import { sendToSqs } from '@product-events/outbox/sqs'
import { createMemoryBroker, drainAll, expectEvents } from '@product-events/outbox/testing'
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

export async function useTesting(pool: pg.Pool, expect: Expect) {
  const outbox = createOutbox<{ 'order.paid': { id: string } }>()
  const db = drizzleOf(pool)
  const payOrder = async (tx: Parameters<typeof drizzle>[0], id: string) => {
    await outbox.append(drizzle(tx, sql), [{ key: id, type: 'order.paid', payload: { id } }])
  }
  // #region testing
  const broker = createMemoryBroker()
  await db.transaction(async (tx) => {
    await payOrder(tx, '7')
    await expectEvents(drizzle(tx, sql), [{ type: 'order.paid', payload: { id: '7' } }])
  })
  await drainAll(outbox.createRelay({ db: pool, send: broker.send }))
  expect(broker.published()).toMatchObject([{ key: '7', type: 'order.paid' }])
  // #endregion
}

type Expect = (value: unknown) => { toMatchObject(expected: object): void }
