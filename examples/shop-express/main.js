/**
 * A shop in CommonJS with Express and Sequelize: `POST /orders {"id", "amount"}` stores an order and its event
 * together.
 */
const { SQSClient } = require('@aws-sdk/client-sqs')
const { createOutbox } = require('@product-events/outbox')
const { sequelize } = require('@product-events/outbox/adapters')
const { sendToSqs } = require('@product-events/outbox/sqs')
const express = require('express')
const { Pool } = require('pg')
const { DataTypes, Sequelize } = require('sequelize')

const { DATABASE_URL, SQS_QUEUE_URL, PORT = '3000' } = process.env
const db = new Sequelize(DATABASE_URL, { logging: false })
const Order = db.define(
  'order',
  { id: { type: DataTypes.TEXT, primaryKey: true }, amount: { type: DataTypes.INTEGER, allowNull: false } },
  { timestamps: false },
)
// The relay runs single statements beside the requests: two connections of its own are enough.
const pool = new Pool({ connectionString: DATABASE_URL, max: 2 })
pool.on('error', (error) => console.warn(`An idle connection was lost: ${error.message}`))
const outbox = createOutbox()
const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })
const relay = outbox.createRelay({ owner: 'shop', db: pool, send: sendToSqs({ sqs, queueUrl: SQS_QUEUE_URL }) })

const app = express()
app.post('/orders', express.json(), async (request, response) => {
  const { id, amount } = request.body
  await db.transaction(async (transaction) => {
    await Order.create({ id, amount }, { transaction })
    await outbox.append(sequelize(db, transaction), [{ key: id, type: 'order.placed', payload: { id, amount } }])
  })
  relay.nudge()
  response.status(201).end()
})
app.use((error, _request, response, _next) => response.status(409).send(error.message))

async function main() {
  await outbox.migrate(pool)
  await db.sync()
  const stopping = new AbortController()
  const relaying = relay.run(stopping.signal)
  const server = app.listen(Number(PORT), () => console.log('shop is ready'))
  process.on('SIGTERM', () => {
    server.close()
    stopping.abort()
    void relaying.then(() => Promise.all([db.close(), pool.end()]))
  })
}
void main()
