import { migrate, transaction } from '@product-events/database'
import { createOutbox, outboxMigrations } from '@product-events/outbox'
import { sendToSns } from '@product-events/outbox/sns'
import type pg from 'pg'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { freshTopic } from '../outbox/testing/sns.ts'
import { createInbox, fromSns, type Handlers, parseCloudEvent } from './index.ts'
import { paid, type ShopEvents, testInbox, type TestInbox } from './testing/inbox.ts'

let t: TestInbox
let topic: Awaited<ReturnType<typeof freshTopic>>
beforeEach(async () => {
  t = await testInbox()
  topic = await freshTopic(inject('sqsEndpoint'), ['raw', 'wrapped'])
})
afterEach(async () => {
  topic.close()
  await t.close()
})

const patiently = { timeout: 25_000, interval: 50 }

test('an event reaches two consumers over SNS, each once: one gets messages raw, one unwraps them', async () => {
  await migrate(t.databaseUrl, outboxMigrations)
  await t.pool.query('CREATE TABLE parcels (order_id text PRIMARY KEY)')
  const outbox = createOutbox({ schema: 'public' })
  const relay = outbox.createRelay({ db: t.pool, send: sendToSns(topic) })
  const [raw, wrapped] = topic.queues
  const billing: Handlers<ShopEvents, pg.PoolClient> = {
    'order.paid': ({ payload }, tx) =>
      tx.query('INSERT INTO invoices VALUES ($1, $2)', [payload.order, payload.amount]),
  }
  const shipping: Handlers<ShopEvents, pg.PoolClient> = {
    'order.paid': ({ payload }, tx) => tx.query('INSERT INTO parcels VALUES ($1)', [payload.order]),
  }
  const running = [
    t.consumer({ handlers: billing, parse: fromSns(parseCloudEvent), sqs: raw!.sqs, queueUrl: raw!.queue.url }),
    createInbox<ShopEvents>({ consumer: 'shipping' }).createConsumer<pg.PoolClient>({
      db: t.pool,
      sqs: wrapped!.sqs,
      queueUrl: wrapped!.queue.url,
      parse: fromSns(parseCloudEvent),
      handlers: shipping,
    }),
  ].map((consumer) => consumer.run(t.signal))

  const orders = Array.from({ length: 20 }, (_, n) => `order-${String(n).padStart(2, '0')}`)
  const events = orders.map((order) => paid(order))
  await transaction(t.pool, (tx) =>
    outbox.append(
      tx,
      [...events, ...events.slice(0, 5)].map((event) => ({ key: event.subject, type: event.type, payload: event })),
    ),
  )
  expect(await relay.drainOnce()).toMatchObject({ published: 25, failed: 0, dead: 0 })

  await vi.waitFor(async () => expect(await t.invoices()).toEqual(orders), patiently)
  await vi.waitFor(async () => {
    const { rows } = await t.pool.query<{ order_id: string }>('SELECT order_id FROM parcels ORDER BY order_id')
    expect(rows.map((row) => row.order_id)).toEqual(orders)
  }, patiently)
  await vi.waitFor(() => expect(t.reported('duplicate')).toHaveLength(5), patiently)
  expect(t.reported('invalid')).toEqual([])
  t.stop()
  await Promise.all(running)
  await relay.release()
})
