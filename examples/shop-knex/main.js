/**
 * A shop in plain JavaScript with Knex: `POST /orders {"id", "amount"}` stores an order and its event in one
 * transaction.
 */
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createOutbox } from '@product-events/outbox'
import { knex } from '@product-events/outbox/adapters'
import { sendToSqs } from '@product-events/outbox/sqs'
import connect from 'knex'
import pg from 'pg'

const { DATABASE_URL, SQS_QUEUE_URL, PORT = '3000' } = process.env
const db = connect({ client: 'pg', connection: DATABASE_URL })
// The relay runs single statements beside the requests: two connections of its own are enough.
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 2 })
pool.on('error', (error) => console.warn(`An idle connection was lost: ${error.message}`))
const outbox = createOutbox()
await outbox.migrate(pool)
await db.raw('CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, amount integer NOT NULL)')

const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })
const relay = outbox.createRelay({ owner: 'shop', db: pool, send: sendToSqs({ sqs, queueUrl: SQS_QUEUE_URL }) })
const stopping = new AbortController()
const relaying = relay.run(stopping.signal)

async function placeOrder({ id, amount }) {
  await db.transaction(async (trx) => {
    await trx('orders').insert({ id, amount })
    await outbox.append(knex(trx), [{ key: id, type: 'order.placed', payload: { id, amount } }])
  })
  relay.nudge()
}

const server = createServer((request, response) => {
  json(request)
    .then(placeOrder)
    .then(
      () => response.writeHead(201).end(),
      (error) => response.writeHead(409).end(error.message),
    )
})
server.listen(Number(PORT), () => console.log('shop is ready'))

process.on('SIGTERM', () => {
  server.close()
  stopping.abort()
  void relaying.then(() => Promise.all([db.destroy(), pool.end()]))
})
