/** The program of README.md as it stands there, so that the compiler checks it and a test runs it. */
// #region program
import { SQSClient } from '@aws-sdk/client-sqs'
import { createInbox, parseCloudEvent } from '@product-events/inbox'
import pg from 'pg'

interface ShopEvents {
  'order.paid': { orderId: string; amount: number }
}

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, query_timeout: 5_000 })
pool.on('error', console.warn)
const inbox = createInbox<ShopEvents>({ schema: 'inbox', consumer: 'billing' })
await inbox.migrate(pool)

const consumer = inbox.createConsumer<pg.PoolClient>({
  db: pool,
  sqs: new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 }),
  queueUrl: process.env.SQS_QUEUE_URL ?? '',
  parse: parseCloudEvent,
  handlers: {
    'order.paid': async ({ payload: { orderId, amount } }, tx) => {
      await tx.query('INSERT INTO invoices (order_id, amount) VALUES ($1, $2)', [orderId, amount])
    },
  },
})

const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())
await consumer.run(stopping.signal)
await pool.end()
// #endregion
