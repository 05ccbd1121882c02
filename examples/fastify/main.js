/** A shop on Fastify with the outbox as a plugin. */
import { SQSClient } from '@aws-sdk/client-sqs'
import { sendToSqs } from '@product-events/outbox/sqs'
import fastify from 'fastify'
import pg from 'pg'
import outboxPlugin from './outbox-plugin.js'

const { DATABASE_URL, SQS_QUEUE_URL, PORT = '3000' } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL })
pool.on('error', (error) => console.warn(`An idle connection was lost: ${error.message}`))
await pool.query('CREATE TABLE IF NOT EXISTS orders (id text PRIMARY KEY, amount integer NOT NULL)')
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })

const app = fastify()
await app.register(outboxPlugin, { owner: 'shop', pool, send: sendToSqs({ sqs, queueUrl: SQS_QUEUE_URL }) })

app.post('/orders', async ({ body: { id, amount }, transaction }, reply) => {
  await transaction(async (tx, append) => {
    await tx.query('INSERT INTO orders (id, amount) VALUES ($1, $2)', [id, amount])
    await append({ key: id, type: 'order.placed', payload: { id, amount } })
  })
  return reply.code(201).send()
})
app.setErrorHandler((error, _request, reply) => reply.code(409).send(error.message))

await app.listen({ port: Number(PORT) })
console.log('shop is ready')
process.on('SIGTERM', () => void app.close().then(() => pool.end()))
