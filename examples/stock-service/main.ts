/** stock-service: one row of stock for each product, kept up to date by product events. */
import { SQSClient } from '@aws-sdk/client-sqs'
import { createInbox, type InboxEvent, parseCloudEvent } from '@product-events/inbox'
import pg from 'pg'
import { readStockConfig } from './config.ts'

interface Product {
  id: string
  name: string
}
interface ProductEvents {
  'product.created': Product
  'product.updated': Product
  'product.deleted': Product
}

const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort())

const { databaseUrl, queueUrl } = readStockConfig(process.env)
const pool = new pg.Pool({ connectionString: databaseUrl, connectionTimeoutMillis: 3_000, query_timeout: 5_000 })
pool.on('error', (error) => console.warn(`An idle connection was lost: ${error.message}`))
// The queue's URL of an emulator may have a host that does not resolve: the SDK's endpoint counts.
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })
const inbox = createInbox<ProductEvents>({ consumer: 'stock-service' })

const client = await pool.connect()
await inbox.migrate(client)
await client.query(
  'CREATE TABLE IF NOT EXISTS stock (product_id uuid PRIMARY KEY, name text NOT NULL, pieces integer NOT NULL DEFAULT 0)',
)
client.release()

async function keepProduct({ payload: { id, name } }: InboxEvent<string, Product>, tx: pg.PoolClient): Promise<void> {
  await tx.query(
    'INSERT INTO stock (product_id, name) VALUES ($1, $2) ON CONFLICT (product_id) DO UPDATE SET name = excluded.name',
    [id, name],
  )
}

const consumer = inbox.createConsumer<pg.PoolClient>({
  db: pool,
  sqs,
  queueUrl,
  parse: parseCloudEvent,
  handlers: {
    'product.created': keepProduct,
    'product.updated': keepProduct,
    'product.deleted': ({ payload }, tx) => tx.query('DELETE FROM stock WHERE product_id = $1', [payload.id]),
  },
  // A standard queue reorders: an old name must not overwrite a new one, nor a deleted product come back.
  ignoreStale: true,
  report(report) {
    if (report.kind === 'away') console.error(`${report.what} does not work: ${report.reason}. Messages are held.`)
    if (report.kind === 'back') console.log(`${report.what} works again.`)
    if (report.kind === 'refused') console.error(`Event ${report.event.id} is refused: ${report.error.message}`)
    if (report.kind === 'invalid') console.error(`Message ${report.message.MessageId} is no event: ${report.reason}`)
  },
})

console.log('stock-service is ready')
await consumer.run(stopping.signal)
sqs.destroy()
await pool.end()
