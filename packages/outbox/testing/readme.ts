/** The code of README.md as it stands there, a region a block, so that the compiler checks it and a test runs it. */
import type { SNSClient } from '@aws-sdk/client-sns'
import type { SQSClient } from '@aws-sdk/client-sqs'
import { connect, migrate, transaction } from '@product-events/database'
import { createOutbox, outboxMigrations, route, type Send } from '@product-events/outbox'
import { drizzle } from '@product-events/outbox/adapters'
import { sendToSns } from '@product-events/outbox/sns'
import { sendToSqs } from '@product-events/outbox/sqs'
import { createMemoryBroker, drainAll, expectEvents } from '@product-events/outbox/testing'
import { eq, sql } from 'drizzle-orm'
import { drizzle as drizzleOf } from 'drizzle-orm/node-postgres'
import { boolean, pgTable, text } from 'drizzle-orm/pg-core'
import type pg from 'pg'

const onIdleError = () => {}
const orders = pgTable('orders', { id: text().primaryKey(), paid: boolean() })

export async function use(databaseUrl: string, sqs: SQSClient, queueUrl: string, id: string) {
  const stop = new AbortController()
  // #region use
  const outbox = createOutbox<{ 'order.paid': { id: string } }>({ schema: 'public' })
  await migrate(databaseUrl, outboxMigrations)
  const pool = connect({ databaseUrl, applicationName: 'orders', maxConnections: 10, onIdleError })
  const relay = outbox.createRelay({ owner: 'orders', db: pool, send: sendToSqs({ sqs, queueUrl }) })
  const running = relay.run(stop.signal)

  await transaction(pool, async (tx) => {
    await tx.query('UPDATE orders SET paid = true WHERE id = $1', [id])
    await outbox.append(tx, [{ key: id, type: 'order.paid', payload: { id } }])
  })
  relay.nudge()
  // #endregion
  return { pool, running, stop }
}

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
