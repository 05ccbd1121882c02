/**
 * A shop in TypeScript with Drizzle: `POST /orders {"id", "amount"}` stores an order and its event in one transaction.
 */
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createOutbox } from '@product-events/outbox'
import { drizzle } from '@product-events/outbox/adapters'
import { sendToSqs } from '@product-events/outbox/sqs'
import { sql } from 'drizzle-orm'
import { drizzle as connect } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { readShopConfig } from './config.ts'

interface ShopEvents {
  'order.placed': { id: string; amount: number }
}
const orders = pgTable('orders', { id: text().primaryKey(), amount: integer().notNull() })

const { databaseUrl, queueUrl, port } = readShopConfig(process.env)
const pool = new pg.Pool({ connectionString: databaseUrl })
pool.on('error', (error) => console.warn(`An idle connection was lost: ${error.message}`))
const db = connect(pool)
const outbox = createOutbox<ShopEvents>()
await outbox.migrate(pool)
await db.execute(sql`CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, amount integer NOT NULL)`)

const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })
const relay = outbox.createRelay({ owner: 'shop', db: pool, send: sendToSqs({ sqs, queueUrl }) })
const stopping = new AbortController()
const relaying = relay.run(stopping.signal)

async function placeOrder(order: ShopEvents['order.placed']): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.insert(orders).values(order)
    await outbox.append(drizzle(tx, sql), [{ key: order.id, type: 'order.placed', payload: order }])
  })
  relay.nudge()
}

const server = createServer((request, response) => {
  json(request)
    .then((body) => placeOrder(body as ShopEvents['order.placed']))
    .then(
      () => response.writeHead(201).end(),
      (error: Error) => response.writeHead(409).end(error.message),
    )
})
server.listen(port, () => console.log('shop is ready'))

process.on('SIGTERM', () => {
  server.close()
  stopping.abort()
  void relaying.then(() => pool.end())
})
