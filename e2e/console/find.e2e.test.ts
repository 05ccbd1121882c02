import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { freePort, localCredentials, startProgram } from '@product-events/local'
import { connectSqs, findQueueUrl } from '@product-events/queue'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createProduct } from '../api.ts'
import { headline, openPage } from './browser.ts'
import { consoleMain, type ProtectedConsole, startProtectedConsole } from './protected-console.ts'

const SOON = { timeout: 30_000, interval: 100 }

let it: ProtectedConsole
beforeAll(async () => {
  it = await startProtectedConsole({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint') })
})
afterAll(() => it.stop())

test('an id is found wherever its event is: in the outbox, refused, dead, in the queue, failing, stored', async () => {
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
  const notifications = (await (
    await fetch(`${it.stack.notifications.url}/notifications?product_id=${product.id}`)
  ).json()) as {
    notifications: { id: string }[]
  }
  await says(notifications.notifications[0]?.id ?? '', /^Notified /)

  // The consumer stops: the next event stays in the queue.
  await it.stack.notifications.stop()
  const queued = await createProduct(it.stack.products.url, 'Queued tea')
  await says(queued.id, /^In the queue, not stored yet\.$/)
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
  const sqs = connectSqs({
    endpoint: inject('sqsEndpoint'),
    region: localCredentials.AWS_REGION,
    requestTimeoutMs: 5_000,
    maxConnections: 1,
  })
  Object.assign(process.env, localCredentials)
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
