/** Compiled by each TypeScript with each resolution, as an ES module and as CommonJS. */
import type { SQSClient } from '@aws-sdk/client-sqs'
import { createInbox, type InboxEvent, type InboxReport, parseCloudEvent } from '@product-events/inbox'
import { traceMessages } from '@product-events/inbox/opentelemetry'
import { inboxMetrics } from '@product-events/inbox/prometheus'
import { createMemoryQueue } from '@product-events/inbox/testing'
import { createOutbox, OutboxRefused, type RelayReport, type Send } from '@product-events/outbox'
import { migrations } from '@product-events/outbox/migrations'
import { createOutboxMetrics } from '@product-events/outbox/prometheus'
import { sendToSqs } from '@product-events/outbox/sqs'
import { Registry } from '@prometheus-io/client'
import { Client, type Pool, type PoolClient } from 'pg'

interface ShopEvents {
  'order.paid': { orderId: string }
}

export async function compiled(pool: Pool, sqs: SQSClient, queueUrl: string, signal: AbortSignal): Promise<Send> {
  const tx = await pool.connect()
  const outbox = createOutbox<ShopEvents>({ schema: 'outbox' })
  await outbox.migrate(new Client())
  await outbox.append(tx, [{ key: 'order-7', type: 'order.paid', payload: { orderId: '7' } }])
  // @ts-expect-error a payload of another type
  await outbox.append(tx, [{ key: 'order-7', type: 'order.paid', payload: { orderId: 7 } }])
  // @ts-expect-error a type that is misspelt
  await outbox.append(tx, [{ key: 'order-7', type: 'order.payed', payload: { orderId: '7' } }])
  // @ts-expect-error a pool is no open transaction
  await outbox.append(pool, [{ key: 'order-7', type: 'order.paid', payload: { orderId: '7' } }])
  const { record } = createOutboxMetrics(new Registry(), pool)
  const send = sendToSqs({ sqs, queueUrl })
  const report = (said: RelayReport) => record(said)
  await outbox
    .createRelay({ db: pool, send, report })
    .run(signal)
    .catch((error: unknown) => {
      if (error instanceof OutboxRefused) return migrations.map(({ name, sql }) => name + sql('outbox'))
      throw error
    })

  const inbox = createInbox<ShopEvents>({ schema: 'inbox', consumer: 'billing' })
  await inbox.migrate(pool)
  const metrics: unknown = inboxMetrics(new Registry())
  const consumer = inbox.createConsumer<PoolClient>({
    ...createMemoryQueue(),
    db: pool,
    parse: parseCloudEvent,
    tracing: traceMessages({ queue: 'queue' }),
    report: (said: InboxReport) => void said.kind,
    handlers: {
      'order.paid': async (event, tx) => {
        const known: InboxEvent = event
        await tx.query('INSERT INTO invoices VALUES ($1, $2)', [known.id, event.payload.orderId])
      },
    },
  })
  await consumer.run(signal)
  return metrics === undefined ? send : send
}
