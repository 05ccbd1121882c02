import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { freePort, localCredentials, startProgram } from '@product-events/local'
import { append } from '@product-events/outbox'
import { connectSqs, deadLetterQueueName, findQueueUrl } from '@product-events/queue'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createProduct } from '../api.ts'
import { headline, openPage } from './browser.ts'
import { consoleMain, type ProtectedConsole, startProtectedConsole } from './protected-console.ts'

const SOON = { timeout: 30_000, interval: 100 }

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

let it: ProtectedConsole
let notifications: pg.Client
beforeAll(async () => {
  it = await startProtectedConsole({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') })
  notifications = new pg.Client({ connectionString: it.stack.notifications.databaseUrl })
  await notifications.connect()
})
afterAll(async () => {
  await notifications.end()
  await it.stop()
})

function openSqs() {
  Object.assign(process.env, localCredentials)
  return connectSqs({
    endpoint: inject('sqsEndpoint'),
    region: localCredentials.AWS_REGION,
    requestTimeoutMs: 5_000,
    maxConnections: 1,
  })
}

/** A delivery of this event that its channel has given up. */
async function abandonDelivery(eventId: string, productId: string): Promise<void> {
  await notifications.query('BEGIN')
  await append(notifications, [{ id: eventId, key: `webhook:shop:${productId}`, type: 'product.created', payload: {} }])
  await notifications.query(
    `UPDATE events SET status = 'dead', attempts = 10, last_error = 'HTTP 410' WHERE event_id = $1`,
    [eventId],
  )
  await notifications.query('COMMIT')
}

/**
 * What SQS does after the fifth receive: the only message of the queue goes to the dead-letter queue. Resolves with its
 * id there.
 */
async function moveToDeadLetters(): Promise<string> {
  const sqs = openSqs()
  const QueueUrl = await findQueueUrl(sqs, it.queueName)
  const { Messages: [message] = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }))
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }))
  const { MessageId = '' } = await sqs.send(
    new SendMessageCommand({
      QueueUrl: await findQueueUrl(sqs, deadLetterQueueName(it.queueName)),
      MessageBody: message?.Body,
    }),
  )
  sqs.destroy()
  return MessageId
}

test('an id is found wherever its event is: outbox, refused, dead, queue, failing, dead-letter queue, stored, abandoned', async () => {
  await using open = await it.signedIn('ann@example', 'operations:read')
  const { page } = open
  const says = async (id: string, said: RegExp) => {
    await page.getByRole('search').getByRole('textbox').fill(id)
    await page.keyboard.press('Enter')
    await expect.poll(() => headline(page), SOON).toMatch(said)
  }
  const product = await createProduct(it.stack.products.url, 'Found tea')
  const event = async () =>
    (await it.products.query('SELECT * FROM events WHERE key = $1', [product.id])).rows[0] as Record<string, string>
  await expect.poll(async () => (await event()).status, SOON).toBe('processed')
  const { id, event_id = '' } = await event()
  await says(product.id, /^Notified /)
  await says(event_id, /^Notified /)
  await says(id ?? '', /^Notified /)
  const stored = await notifications.query<{ id: string }>('SELECT id FROM notifications WHERE event_id = $1', [
    event_id,
  ])
  await says(stored.rows[0]?.id ?? '', /^Notified /)
  await it.products.query(`UPDATE events SET headers = headers || $2 WHERE key = $1`, [
    product.id,
    { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` },
  ])
  await says(TRACE, /^Notified /)
  expect(await page.locator('main').innerText()).toContain(product.id)
  await abandonDelivery(event_id, product.id)
  await says(product.id, /^Stored; abandoned delivery: /)

  // The consumer stops: the next event stays in the queue.
  await it.stack.notifications.stop()
  const queued = await createProduct(it.stack.products.url, 'Queued tea')
  await says(queued.id, /^In the queue, not stored yet\.$/)
  const [{ event_id: queuedEvent }] = (
    await it.products.query('SELECT event_id FROM events WHERE key = $1', [queued.id])
  ).rows
  await notifications.query(
    `INSERT INTO failed_messages (message_id, event_id, reason, failures) VALUES ('a', $1, 'too long a name', 2)`,
    [queuedEvent],
  )
  await says(queued.id, /^In the queue; the consumer failed 2 times, /)
  const message = await moveToDeadLetters()
  for (const id of [queued.id, queuedEvent, message])
    await says(id, new RegExp(`^In the dead-letter queue, as message ${message}\\.$`))
  // The relay stops as well: events stay where the next statements put them.
  await it.stack.products.stop()
  const put = (status: string) =>
    it.products.query(
      `UPDATE events SET status = $2, attempts = 3, last_error = 'Refused: by hand', processed_at = NULL,
              next_attempt_at = CASE WHEN $2 = 'failed' THEN now() + interval '1 hour' END WHERE key = $1`,
      [queued.id, status],
    )
  await put('pending')
  await says(queued.id, /^In the outbox, not published yet\.$/)
  await put('failed')
  await says(queued.id, /^In the outbox, refused by SQS\.$/)
  await put('dead')
  await says(queued.id, /^In the outbox, dead\.$/)
  await Promise.all([it.stack.products.start(), it.stack.notifications.start()])
})

test('a message that failed is found by its id', async () => {
  const sqs = openSqs()
  const QueueUrl = await findQueueUrl(sqs, it.queueName)
  const { MessageId = '' } = await sqs.send(
    new SendMessageCommand({ QueueUrl, MessageBody: '{"hello":"I am no event"}' }),
  )
  sqs.destroy()
  await using open = await it.signedIn('ann@example', 'operations:read', `#/find?id=${MessageId}`)
  await expect.poll(() => headline(open.page), SOON).toMatch(/^A message that failed 1 time\.$/)
})

test('without any dependency the console starts, and says what it sees', async () => {
  const port = await freePort()
  const nothing = await freePort()
  const alone = startProgram('console', {
    main: consoleMain,
    preload: [],
    onLine: () => {},
    variables: {
      DATABASE_URL: `postgres://postgres@127.0.0.1:${nothing}`,
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${nothing}`,
      HTTP_PORT: String(port),
      PRODUCT_SERVICE_OPERATIONS_URL: `http://127.0.0.1:${nothing}`,
      NOTIFICATION_SERVICE_OPERATIONS_URL: `http://127.0.0.1:${nothing}`,
    },
  })
  try {
    await expect
      .poll(
        () =>
          fetch(`http://127.0.0.1:${port}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        SOON,
      )
      .toBe(true)
    await using open = await openPage(it.browser, `http://127.0.0.1:${port}/`)
    await expect.poll(() => headline(open.page), SOON).toBe('PostgreSQL is unreachable.')
    expect(await open.page.locator('.verdict').innerText()).toContain('SQS is unreachable')
    // A name that a stranger points at this machine is refused.
    const rebound = await fetch(`http://127.0.0.1:${port}/api/snapshot`, {
      headers: { origin: 'https://evil.example' },
    })
    expect(rebound.status).toBe(403)
  } finally {
    await alone.stop()
  }
})
