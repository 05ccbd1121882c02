// #region program
import { SQSClient } from '@aws-sdk/client-sqs'
import { createOutbox } from '@product-events/outbox'
import { pgListen } from '@product-events/outbox/adapters'
import { sendToSqs } from '@product-events/outbox/sqs'
import pg from 'pg'

interface ShopEvents {
  'order.paid': { orderId: string; amount: number }
}

const { DATABASE_URL, SQS_QUEUE_URL = '' } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL, query_timeout: 5_000 })
pool.on('error', console.warn)
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })

const outbox = createOutbox<ShopEvents>({ schema: 'outbox' })
await outbox.migrate(pool)
const send = sendToSqs({ sqs, queueUrl: SQS_QUEUE_URL })
const listen = pgListen({ connectionString: DATABASE_URL })
const relay = outbox.createRelay({ owner: 'shop', db: pool, send, listen })
const stopping = new AbortController()
const running = relay.run(stopping.signal)

async function pay(orderId: string, amount: number): Promise<void> {
  const tx = await pool.connect()
  try {
    await tx.query('BEGIN')
    await tx.query('UPDATE orders SET paid = true WHERE id = $1', [orderId])
    await outbox.append(tx, [{ key: orderId, type: 'order.paid', payload: { orderId, amount } }])
    await tx.query('COMMIT')
  } catch (error) {
    await tx.query('ROLLBACK')
    throw error
  } finally {
    tx.release()
  }
  outbox.wake(pool)
}

await pay('order-7', 12.5)
process.on('SIGTERM', () => stopping.abort())
await running
await pool.end()
// #endregion
