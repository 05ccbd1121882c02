/**
 * An AWS Lambda function for an SQS trigger with `ReportBatchItemFailures`: one invoice for each order that was paid.
 */
import { createInbox, parseCloudEvent } from '@product-events/inbox'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2, query_timeout: 5_000 })
pool.on('error', (error) => console.warn(`An idle connection was lost: ${error.message}`))
const inbox = createInbox({ consumer: 'billing' })

export const handler = inbox.lambdaHandler({
  db: pool,
  parse: parseCloudEvent,
  handlers: {
    'order.paid': async ({ payload: { id, amount } }, tx) => {
      await tx.query('INSERT INTO invoices (order_id, amount) VALUES ($1, $2)', [id, amount])
    },
  },
})
