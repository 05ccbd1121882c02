/**
 * What a project does with both libraries, once: tables, an order paid with its event, a relay, a consumer that makes
 * an invoice. The event is published twice, and the invoice must be there once. The harness adds the imports of a
 * module system.
 */
export async function run({ createOutbox, sendToSqs, createInbox, parseCloudEvent, pg, SQSClient }) {
  const { DATABASE_URL, SQS_QUEUE_URL, SCHEMA } = process.env
  const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 })
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false, maxAttempts: 1 })
  const outbox = createOutbox({ schema: `${SCHEMA}_outbox` })
  const inbox = createInbox({ schema: `${SCHEMA}_inbox`, consumer: 'billing' })
  await outbox.migrate(DATABASE_URL)
  await inbox.migrate(pool)
  await pool.query(`CREATE TABLE ${SCHEMA}_inbox.invoices (order_id text)`)

  const tx = await pool.connect()
  await tx.query('BEGIN')
  const data = { orderId: 'order-7' }
  await outbox.append(tx, [
    {
      key: 'order-7',
      type: 'order.paid',
      payload: { specversion: '1.0', id: SCHEMA, source: '/shop', type: 'order.paid', data },
    },
  ])
  await tx.query('COMMIT')
  tx.release()

  const outcomes = []
  const consumer = inbox.createConsumer({
    db: pool,
    sqs,
    queueUrl: SQS_QUEUE_URL,
    parse: parseCloudEvent,
    report: ({ kind }) => outcomes.push(kind),
    handlers: {
      'order.paid': async ({ payload }, tx) => {
        await tx.query(`INSERT INTO ${SCHEMA}_inbox.invoices VALUES ($1)`, [payload.orderId])
      },
    },
  })
  const relay = outbox.createRelay({ owner: 'shop', db: pool, send: sendToSqs({ sqs, queueUrl: SQS_QUEUE_URL }) })
  const stop = new AbortController()
  const running = Promise.all([relay.run(stop.signal), consumer.run(stop.signal)])
  await until(async () => (await countOf(pool, `${SCHEMA}_inbox.handled_events`)) === 1)
  // The relay marks an event after the consumer may have handled it, and only a processed one can be published again.
  await until(async () => (await countOf(pool, `${SCHEMA}_outbox.events WHERE status = 'processed'`)) === 1)
  await outbox.resend(pool, { ids: ['1'] }, { by: 'test', signal: stop.signal, onProgress: () => {} })
  relay.nudge()
  await until(() => outcomes.includes('duplicate'))
  stop.abort()
  await running
  const invoices = await countOf(pool, `${SCHEMA}_inbox.invoices`)
  await pool.end()
  sqs.destroy()
  if (invoices !== 1) throw new Error(`${invoices} invoices for one paid order`)
}

async function countOf(pool, table) {
  return (await pool.query(`SELECT count(*)::int AS count FROM ${table}`)).rows[0].count
}

async function until(isTrue) {
  for (const giveUpAt = Date.now() + 60_000; !(await isTrue());) {
    if (Date.now() > giveUpAt) throw new Error(`not within a minute: ${isTrue}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
