import { DeleteQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { localCredentials } from '@product-events/local'
import {
  connectSqs,
  deadLetterQueueName,
  findOrCreateQueue,
  findQueueAt,
  makeAgainWhenGone,
} from '@product-events/queue'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type Rights, rights, rightsByName } from '../deploy/aws/rights.ts'
import { createProduct } from './api.ts'
import { named, startRightsFront } from './faults/rights-front.ts'
import { type LeastRights, roles, startLeastRights } from './least-rights/deployment.ts'

let all: LeastRights
beforeAll(async () => void (all = await startLeastRights(inject('sqsEndpoint'))))
afterAll(() => all.stop())

const TIMEOUT = { timeout: 30_000 }
const rowsOf = (sql: string) => all.products.query<Record<string, unknown>>(sql).then(({ rows }) => rows)

async function json<Answer>(url: string, body?: object): Promise<Answer> {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(url, init)
  const text = await response.text()
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`)
  return JSON.parse(text) as Answer
}

async function notifiedOf(productId: string): Promise<string[]> {
  const { notifications } = await json<{ notifications: { product_id: string; event_type: string }[] }>(
    `${all.urls['notification-service']}/notifications?limit=100`,
  )
  return notifications.filter(({ product_id }) => product_id === productId).map(({ event_type }) => event_type)
}

test('a product is created, changed and deleted, and each change is notified', async () => {
  const { id } = await createProduct(all.urls['product-service'], 'Tea')
  const one = `${all.urls['product-service']}/products/${id}`
  const headers = { 'content-type': 'application/merge-patch+json' }
  expect((await fetch(one, { method: 'PATCH', headers, body: '{"price":2}' })).status).toBe(200)
  expect((await fetch(one)).status).toBe(200)
  expect((await fetch(one, { method: 'DELETE' })).status).toBe(204)
  await expect.poll(() => notifiedOf(id), TIMEOUT).toHaveLength(3)
})

test('both processes with a relay publish', async () => {
  const published = async (role: 'product-service' | 'relay') =>
    /^outbox_events_published_total ([1-9]\d*)$/m.test(await (await fetch(`${all.metrics[role]}/metrics`)).text())
  await expect
    .poll(async () => {
      await createProduct(all.urls['product-service'], 'Cup')
      return (await published('product-service')) && (await published('relay'))
    }, TIMEOUT)
    .toBe(true)
})

test('messages stay hidden while their events cannot be stored', async () => {
  const client = await all.notifications.connect()
  try {
    await client.query('BEGIN; LOCK TABLE public.notifications')
    await createProduct(all.urls['product-service'], 'Slow')
    const extended = `sqs:ChangeMessageVisibility on ${all.queue.name}`
    await expect.poll(() => all.fronts['notification-service'].allowed.has(extended), TIMEOUT).toBe(true)
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
})

test('webhooks are delivered, and an endpoint that is gone is disabled', async () => {
  await expect
    .poll(async () => (await all.notifications.query('SELECT FROM disabled_endpoints')).rowCount, TIMEOUT)
    .toBe(1)
})

test('one relay of each outbox deletes events past their retention', async () => {
  const passed = async (role: keyof LeastRights['metrics']) =>
    /^outbox_retention_last_success_timestamp_seconds [1-9]/m.test(
      await (await fetch(`${all.metrics[role]}/metrics`)).text(),
    )
  await expect.poll(async () => (await passed('relay')) || (await passed('product-service')), TIMEOUT).toBe(true)
  await expect.poll(() => passed('notification-service'), TIMEOUT).toBe(true)
})

test('the console shows both queues, finds an event, and redrives and deletes as its user', async () => {
  const { console: url } = all.urls
  const [{ event_id: id } = {}] = await rowsOf(`SELECT event_id FROM events WHERE status = 'processed' LIMIT 1`)
  await expect
    .poll(() => json<{ verdict: { text: string } }>(`${url}/api/find?id=${String(id)}`), TIMEOUT)
    .toMatchObject({
      kind: 'event',
    })
  for (const [what, source] of [
    ['redrive', 'messages'],
    ['delete', 'messages'],
    ['redrive', 'events'],
  ] as const) {
    if (source === 'messages')
      await all.sqs.send(new SendMessageCommand({ QueueUrl: all.deadLetterUrl, MessageBody: '"no event"' }))
    else
      await rowsOf(
        `UPDATE events SET status = 'dead', attempts = 10, last_error = 'x' WHERE event_id = '${String(id)}'`,
      )
    const needs = () => json<{ groups: { key: string }[] }>(`${url}/api/needs?source=${source}`)
    await expect.poll(async () => (await needs()).groups.length, TIMEOUT).toBe(1)
    const [{ key } = { key: '' }] = (await needs()).groups
    await json(`${url}/api/actions`, { what, source, key, why: 'test' })
    await expect
      .poll(async () => (await json<{ actions: { state: string }[] }>(`${url}/api/actions`)).actions[0]?.state, TIMEOUT)
      .toBe('finished')
  }
  const snapshot = await json<Record<string, unknown>>(`${url}/api/snapshot`)
  expect(JSON.stringify(snapshot)).not.toMatch(/permission denied|AccessDenied|not authorized/)
})

test('the commands do their work as the user of the console', async () => {
  const [{ event_id: id } = {}] = await rowsOf('SELECT event_id FROM events ORDER BY id LIMIT 1')
  await all.sqs.send(new SendMessageCommand({ QueueUrl: all.deadLetterUrl, MessageBody: '"no event"' }))
  for (const [command, ...args] of [
    ['find', String(id)],
    ['outbox', 'resend', String(id)],
    ['inbox', 'list'],
    ['inbox', 'redrive', '--all'],
    ['inbox', 'purge', '--yes'],
  ] as const)
    expect(await all.command(command, ...args), `${command} ${args.join(' ')}`).toMatchObject({ code: 0 })
  expect((await all.command('status', '--json')).out).not.toMatch(/permission denied|AccessDenied|not authorized/)
})

test.each(roles)('%s needs each of its rights, and tries nothing else', (role) => {
  const { denied, allowed } = all.fronts[role]
  // Every right was used, so none is superfluous; no denied action was tried, so none is missing.
  expect([...denied]).toEqual([])
  expect([...allowed].toSorted()).toEqual(named(rights[role], all.queue.name, deadLetterQueueName(all.queue.name)))
})

test('no program complained', () => {
  // Warnings about messages that are not events: this test sent them.
  expect(all.complaints.filter((line) => /denied|authorized|42501/i.test(line))).toEqual([])
})

test.each([
  ['finds', { finds: true }],
  ['makes', { finds: false }],
] as const)('a program that has the name of the queue %s it with the rights of the table', async (role, { finds }) => {
  const queueName = finds ? all.queue.name : `made-${process.pid}-${Date.now()}`
  const names = { queueName, deadLetterQueueName: deadLetterQueueName(queueName) }
  const own: Rights = rightsByName[role]
  const front = await startRightsFront({ endpoint: inject('sqsEndpoint'), ...names, rights: own })
  const { AWS_REGION: region } = localCredentials
  const sqs = connectSqs({ endpoint: front.endpoint, region, requestTimeoutMs: 5_000, maxConnections: 1 })
  try {
    const { promise: made, resolve } = Promise.withResolvers<void>()
    const watch = makeAgainWhenGone(sqs, queueName, resolve)
    const { url } = await findOrCreateQueue(sqs, queueName)
    if (!finds) {
      const deadLetterUrl = url.replace(queueName, names.deadLetterQueueName)
      await all.sqs.send(new DeleteQueueCommand({ QueueUrl: deadLetterUrl }))
      watch.begin()
      await expect(findQueueAt(sqs, deadLetterUrl)).rejects.toThrow('does not exist')
      await made
    }
    expect([...front.denied]).toEqual([])
    expect([...front.allowed].toSorted()).toEqual(named(own, names.queueName, names.deadLetterQueueName))
  } finally {
    sqs.destroy()
    await front.close()
  }
})
