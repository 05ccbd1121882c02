import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { freePort, freshDatabase, localCredentials, type Part, startProgram } from '@product-events/local'
import { connectSqs, findQueueUrl } from '@product-events/queue'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import pg from 'pg'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { createProduct } from '../api.ts'
import { type Stack, startStack } from '../stack.ts'
import { headline, openChromium, openPage } from './browser.ts'

const SOON = { timeout: 30_000, interval: 100 }
const issuer = 'https://id.example/'
const audience = 'console'
const queueName = `console-${process.pid}`

const keys = await generateKeyPair('ES256', { extractable: true })
let keySet: Server
let browser: Browser
let stack: Stack
let products: pg.Client
let address: string
let part: Part
let start: () => Promise<void>
const log: string[] = []

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'a', alg: 'ES256', use: 'sig' }
  keySet = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] }))).listen(0, '127.0.0.1')
  await once(keySet, 'listening')
  browser = await openChromium()
  stack = await startStack({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint'), queueName })
  products = new pg.Client({ connectionString: stack.products.databaseUrl })
  await products.connect()
  const port = await freePort()
  address = `http://127.0.0.1:${port}`
  start = async () => {
    part = startProgram('console', {
      main: resolve(import.meta.dirname, '../../operations/console/main.ts'),
      preload: [],
      onLine: (line) => log.push(line),
      variables: {
        PRODUCTS_DATABASE_URL: stack.products.databaseUrl,
        NOTIFICATIONS_DATABASE_URL: stack.notifications.databaseUrl,
        AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
        SQS_QUEUE_NAME: queueName,
        HTTP_PORT: String(port),
        PRODUCT_SERVICE_OPERATIONS_URL: stack.products.metricsUrl,
        NOTIFICATION_SERVICE_OPERATIONS_URL: stack.notifications.metricsUrl,
        AUTH_JWKS_URL: `http://127.0.0.1:${(keySet.address() as AddressInfo).port}`,
        AUTH_ISSUER: issuer,
        AUTH_AUDIENCE: audience,
      },
    })
    await vi.waitFor(async () => expect((await fetch(`${address}/health/ready`)).ok).toBe(true), SOON)
  }
  await start()
})
afterAll(async () => {
  await part.stop()
  await products.end()
  await browser.close()
  await stack.stop()
  keySet.close()
  keySet.closeAllConnections()
})

function token(sub: string, scope: string): Promise<string> {
  return new SignJWT({ iss: issuer, sub, aud: audience, scope })
    .setExpirationTime('1h')
    .setProtectedHeader({ alg: 'ES256', kid: 'a' })
    .sign(keys.privateKey)
}

async function signedIn(sub: string, scope: string, hash = '') {
  const open = await openPage(browser, `${address}/${hash}`)
  await open.page.getByLabel('Token').fill(await token(sub, scope))
  await open.page.getByRole('button', { name: 'Sign in' }).click()
  await expect.poll(() => open.page.locator('.live').innerText(), SOON).toBe('live')
  return open
}

/** Events that SQS would never accept died so, with this reason. */
async function die(reason: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const { id } = await createProduct(stack.products.url, `Dead tea ${index}`)
    await expect
      .poll(
        async () => (await products.query(`SELECT FROM events WHERE key = $1 AND status = 'processed'`, [id])).rowCount,
        SOON,
      )
      .toBe(1)
    await products.query(
      `UPDATE events SET status = 'dead', attempts = 10, last_error = $2, event_id = gen_random_uuid() WHERE key = $1`,
      [id, reason],
    )
  }
}

test('without a token the page asks for one and shows nothing; a wrong one is refused in words', async () => {
  await using open = await openPage(browser, `${address}/`)
  await open.page.getByLabel('Token').fill('nonsense')
  await open.page.getByRole('button', { name: 'Sign in' }).click()
  await open.page.getByRole('alert').waitFor()
  expect(await open.page.getByRole('alert').innerText()).toMatch(/token/i)
  for (const path of ['snapshot', 'stream', 'find?id=1', 'needs?source=events', 'actions', 'me'])
    expect((await fetch(`${address}/api/${path}`)).status, path).toBe(401)
})

test('all that match: a dry run, then the redrive at a rate, recorded with the sub, and what became of it', async () => {
  await die('AccessDenied: the key of request 41 may not be used', 3)
  await die('Throttled for good', 1)
  await using open = await signedIn('ann@example', 'operations:read operations:write', '#/needs')
  const { page } = open
  await expect.poll(() => headline(page), SOON).toBe('4 things need you.')
  const group = page.locator('.group', { hasText: 'AccessDenied' })
  await group.getByRole('button', { name: 'Redrive 3…' }).click()
  await group.getByText(/in the order of/).waitFor()
  expect((await products.query(`SELECT FROM events WHERE status = 'dead'`)).rowCount).toBe(4)
  await group.getByLabel('At most').fill('100')
  await group.getByLabel('Why').fill('INC-2041: the grant is restored')
  await group.getByRole('button', { name: 'Redrive 3', exact: true }).click()
  await expect.poll(() => page.locator('table.done').innerText(), SOON).toMatch(/3 published, 3 notified/)
  expect(await page.locator('table.done').innerText()).toContain('ann@example')
  await expect.poll(() => headline(page), SOON).toBe('1 thing needs you.')
  const { rows } = await products.query('SELECT who, why, state, done, rate FROM console.actions')
  expect(rows).toEqual([
    { who: 'ann@example', why: 'INC-2041: the grant is restored', state: 'finished', done: 3, rate: 100 },
  ])
  const { rows: events } = await products.query(`SELECT DISTINCT redriven_by FROM events WHERE redriven_count > 0`)
  expect(events).toEqual([{ redriven_by: 'ann@example' }])
})

test('a dry run tells which events leave after younger ones of their product', async () => {
  const { id } = await createProduct(stack.products.url, 'Late tea')
  const dead = () => products.query(`UPDATE events SET status = 'dead', last_error = 'overtaken' WHERE key = $1`, [id])
  await expect
    .poll(
      async () => (await products.query(`SELECT FROM events WHERE key = $1 AND status = 'processed'`, [id])).rowCount,
      SOON,
    )
    .toBe(1)
  await dead()
  await fetch(`${stack.products.url}/products/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: '{"price":2}',
  })
  await expect
    .poll(
      async () => (await products.query(`SELECT FROM events WHERE key = $1 AND status = 'processed'`, [id])).rowCount,
      SOON,
    )
    .toBe(1)
  await using open = await signedIn('ann@example', 'operations:read operations:write', '#/needs')
  await open.page.locator('.group', { hasText: 'overtaken' }).getByRole('button', { name: 'Redrive 1…' }).click()
  await open.page.getByText('leaves after 1 younger event of its key').waitFor()
})

test('a read token sees no button, and the server answers 403', async () => {
  await die('refused for the reader', 1)
  await using open = await signedIn('bob@example', 'operations:read', '#/needs')
  await open.page.getByText('refused for the reader').waitFor()
  expect(await open.page.getByRole('button', { name: /Redrive|Delete/ }).count()).toBe(0)
  const before = (await products.query('SELECT FROM console.actions')).rowCount
  const response = await fetch(`${address}/api/actions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await token('bob@example', 'operations:read')}`,
    },
    body: JSON.stringify({ what: 'redrive', source: 'events', key: 'x', why: 'no right' }),
  })
  expect(response.status).toBe(403)
  expect(response.headers.get('www-authenticate')).toContain('operations:write')
  expect((await products.query('SELECT FROM console.actions')).rowCount).toBe(before)
})

test('a page left open through a restart of the console goes on, and asks for no token again', async () => {
  await using open = await signedIn('ann@example', 'operations:read operations:write')
  await part.stop()
  await expect.poll(() => open.page.locator('.live').innerText(), SOON).toBe('no answer')
  await start()
  await expect.poll(() => open.page.locator('.live').innerText(), SOON).toBe('live')
  await createProduct(stack.products.url, 'After the restart')
  await open.page.locator('tr', { hasText: 'After the restart' }).waitFor()
})

test('an id is found wherever its event is: in the outbox, refused, dead, in the queue, failing, stored', async () => {
  await using open = await signedIn('ann@example', 'operations:read')
  const { page } = open
  const says = async (id: string, said: RegExp) => {
    await page.getByRole('search').getByRole('textbox').fill(id)
    await page.keyboard.press('Enter')
    await expect.poll(() => headline(page), SOON).toMatch(said)
  }
  const product = await createProduct(stack.products.url, 'Found tea')
  const event = async () =>
    (await products.query('SELECT * FROM events WHERE key = $1', [product.id])).rows[0] as Record<string, string>
  await expect.poll(async () => (await event()).status, SOON).toBe('processed')
  const { id, event_id = '' } = await event()
  await says(product.id, /^Notified /)
  await says(event_id, /^Notified /)
  await says(id ?? '', /^Notified /)
  const notifications = (await (
    await fetch(`${stack.notifications.url}/notifications?product_id=${product.id}`)
  ).json()) as {
    notifications: { id: string }[]
  }
  await says(notifications.notifications[0]?.id ?? '', /^Notified /)

  // The consumer stops: the next event stays in the queue.
  await stack.notifications.stop()
  const queued = await createProduct(stack.products.url, 'Queued tea')
  await says(queued.id, /^SQS has it, and notification-service has not stored it yet\.$/)
  // The relay stops as well: events stay where the next statements put them.
  await stack.products.stop()
  const put = (status: string) =>
    products.query(
      `UPDATE events SET status = $2, attempts = 3, last_error = 'Refused: by hand', processed_at = NULL,
              next_attempt_at = CASE WHEN $2 = 'failed' THEN now() + interval '1 hour' END WHERE key = $1`,
      [queued.id, status],
    )
  await put('pending')
  await says(queued.id, /^It waits in the outbox/)
  await put('failed')
  await says(queued.id, /^SQS refused it: Refused\./)
  await put('dead')
  await says(queued.id, /^Dead: Refused\.$/)
  await Promise.all([stack.products.start(), stack.notifications.start()])
})

test('a message that failed is found by its id', async () => {
  const sqs = connectSqs({
    endpoint: inject('sqsEndpoint'),
    region: localCredentials.AWS_REGION,
    requestTimeoutMs: 5_000,
    maxConnections: 1,
  })
  Object.assign(process.env, localCredentials)
  const QueueUrl = await findQueueUrl(sqs, queueName)
  const { MessageId = '' } = await sqs.send(
    new SendMessageCommand({ QueueUrl, MessageBody: '{"hello":"I am no event"}' }),
  )
  sqs.destroy()
  await using open = await signedIn('ann@example', 'operations:read', `#/find?id=${MessageId}`)
  await expect
    .poll(async () => {
      await open.page.reload()
      await open.page.getByLabel('Token').fill(await token('ann@example', 'operations:read'))
      await open.page.getByRole('button', { name: 'Sign in' }).click()
      await open.page.locator('main h1').waitFor()
      return headline(open.page)
    }, SOON)
    .toMatch(/^A message that failed 1 time\.$/)
})

test('without any dependency the console starts, and says what it sees', async () => {
  const port = await freePort()
  const nothing = await freePort()
  await freshDatabase(inject('postgresUrl'))
  const alone = startProgram('console', {
    main: resolve(import.meta.dirname, '../../operations/console/main.ts'),
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
    await using open = await openPage(browser, `http://127.0.0.1:${port}/`)
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
