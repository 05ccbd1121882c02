import type { UUID } from 'node:crypto'
import { append } from '@product-events/outbox'
import { Webhook } from 'standardwebhooks'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { notificationOf } from '../notifications/notification.ts'
import { testEvent } from '../testing/consumer.ts'
import type { ChannelsConfig } from './config.ts'
import { deliveriesOf } from './delivery.ts'
import { localWebhook, newProducts, testChannels } from './testing/channels.ts'
import { newSecret, type Received, webhookServer } from './testing/receivers.ts'

/** A retry comes after a second and is found by a poll of another second. */
const patiently = { timeout: 15_000, interval: 20 }

/** What a test opened, closed in reverse however it went. */
const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function server(...options: Parameters<typeof webhookServer>) {
  const it = await webhookServer(...options)
  opened.push(it.close)
  return it
}

async function channels(config: Partial<ChannelsConfig>) {
  const it = await testChannels(inject('postgresUrl'), config)
  opened.push(it.close)
  return it
}

const sequencesOf = (requests: Received[], product: string) =>
  requests.filter(({ data }) => data.product_id === product).map(({ data }) => Number(data.sequence))
const headersOf = ({ headers }: Received) => headers as Record<string, string>

test("every endpoint gets the notification, signed with its own secret as the package's own verifier has it", async () => {
  const [one, two] = [await server(), await server()]
  const secrets = [newSecret(), newSecret()] as const
  const webhooks = [localWebhook('one', one.port, secrets[0]), localWebhook('two', two.port, secrets[1])]
  const t = await channels({ webhooks })
  const [product] = newProducts(1) as [UUID]
  const [eventId] = await t.notify([product])
  await expect.poll(() => [one.received.length, two.received.length], patiently).toEqual([1, 1])

  for (const [index, { received }] of [one, two].entries()) {
    const [request] = received
    if (!request) throw new Error('nothing was received')
    const body = new Webhook(secrets[index] ?? '').verify(request.body, headersOf(request))
    expect(body).toMatchObject({
      type: 'product.updated',
      data: { event_id: eventId, product_id: product, sequence: '1', title: 'Product updated' },
    })
    expect(request.headers).toMatchObject({ 'webhook-id': eventId, 'content-type': 'application/json' })
    expect(() => new Webhook(secrets[1 - index] ?? '').verify(request.body, headersOf(request))).toThrow('signature')
  }
  await expect.poll(t.statuses, patiently).toEqual({ 'one processed': 1, 'two processed': 1 })
  expect(await t.metric('channel_deliveries_total')).toHaveLength(2)
})

test('while a secret is being replaced, the receiver may verify by the old one or the new one', async () => {
  const secrets = [newSecret(), newSecret()]
  const { port, received } = await server()
  const t = await channels({ webhooks: [{ ...localWebhook('erp', port), secrets }] })
  await t.notify(newProducts(1))
  await expect.poll(() => received.length, patiently).toBe(1)
  for (const secret of secrets)
    for (const request of received) new Webhook(secret).verify(request.body, headersOf(request))
})

test('a refused delivery is tried again under the same id, and holds back its product at this endpoint only', async () => {
  const [held, other] = newProducts(2) as [UUID, UUID]
  let refusals = 0
  const flaky = await server(({ data }) =>
    data.product_id === held && data.sequence === '2' && refusals++ < 1 ? 500 : 200,
  )
  const steady = await server()
  const t = await channels({ webhooks: [localWebhook('flaky', flaky.port), localWebhook('steady', steady.port)] })
  await t.notify([held, other], [1, 2, 3, 4])
  await expect.poll(() => sequencesOf(flaky.accepted, held), patiently).toEqual([1, 2, 3, 4])

  expect(sequencesOf(flaky.received, held)).toEqual([1, 2, 2, 3, 4])
  for (const product of [held, other]) expect(sequencesOf(steady.accepted, product)).toEqual([1, 2, 3, 4])
  expect(sequencesOf(flaky.accepted, other)).toEqual([1, 2, 3, 4])
  const [first, second] = flaky.received.filter(({ data }) => data.product_id === held && data.sequence === '2')
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  // The others did not wait for the retry.
  const lastOfOther = flaky.received.findIndex(({ data }) => data.product_id === other && data.sequence === '4')
  expect(flaky.received.indexOf(second as Received)).toBeGreaterThan(lastOfOther)
  expect(t.logged('delivery refused')).toMatchObject([{ endpoint: 'webhook:flaky', reason: 'it answered 500' }])
  expect(t.logged('endpoint refuses')).toMatchObject([{ endpoint: 'webhook:flaky', reason: 'it answered 500' }])
})

test('an endpoint that is down holds back no other, and gets everything in order when it is up', async () => {
  const gone = await webhookServer()
  await gone.close()
  const steady = await server()
  const t = await channels({ webhooks: [localWebhook('gone', gone.port), localWebhook('steady', steady.port)] })
  const products = newProducts(10)
  await t.notify(products, [1, 2, 3])
  await expect.poll(() => steady.accepted.length, patiently).toBe(30)
  await vi.waitFor(async () => expect((await t.statuses())['gone failed']).toBeGreaterThan(0), patiently)

  const back = await server(undefined, gone.port)
  await expect.poll(() => back.accepted.length, { ...patiently, timeout: 25_000 }).toBe(30)
  for (const product of products) expect(sequencesOf(back.accepted, product)).toEqual([1, 2, 3])
})

test('an endpoint that never answers holds back no other', async () => {
  const silent = await server(() => undefined)
  const steady = await server()
  const t = await channels({ webhooks: [localWebhook('silent', silent.port), localWebhook('steady', steady.port)] })
  // One after the other, eight at a time, the silent one's timeouts would take two minutes.
  await t.notify(newProducts(300), [1, 2])
  await expect.poll(() => steady.accepted.length, patiently).toBe(600)
  expect(silent.received.length).toBeLessThan(50)
  await expect
    .poll(() => t.logged('delivery refused').map((line) => line.reason), patiently)
    .toContain('no answer within 3000 ms')
})

test('an endpoint that answers 410 is disabled, for good and for all, until somebody enables it', async () => {
  let status = 410
  const leaving = await server(() => status)
  const steady = await server()
  const t = await channels({ webhooks: [localWebhook('leaving', leaving.port), localWebhook('steady', steady.port)] })
  const [product] = newProducts(1) as [UUID]
  await t.notify([product], [1, 2, 3])
  await expect.poll(t.statuses, patiently).toMatchObject({ 'steady processed': 3 })
  await expect.poll(async () => (await t.statuses())['leaving pending'], patiently).toBeUndefined()

  expect(leaving.received).toHaveLength(1)
  expect((await t.errors()).filter(Boolean)[0]).toBe('endpoint disabled: it answered 410 Gone')
  for (const error of (await t.errors()).filter(Boolean)) expect(error).toMatch(/^endpoint disabled/)
  expect(t.logged('endpoint disabled')).toMatchObject([{ level: 50, endpoint: 'webhook:leaving' }])
  expect(await t.metric('channel_endpoints_disabled_total')).toEqual([
    'channel_endpoints_disabled_total{endpoint="leaving"} 1',
  ])
  const before = (await t.statuses())['leaving dead']
  await t.notify([product], [4])
  expect((await t.statuses())['leaving dead']).toBe(before)

  status = 200
  await t.pool.query(`DELETE FROM disabled_endpoints WHERE endpoint = 'webhook:leaving'`)
  // Within a second the service has noticed.
  await vi.waitFor(async () => {
    await t.notify(newProducts(1))
    expect(leaving.accepted.length).toBeGreaterThan(0)
  }, patiently)
})

test('a redirect is not followed', async () => {
  const target = await server()
  const redirecting = await server((_, response) => {
    response.setHeader('location', `http://127.0.0.1:${target.port}/`)
    return 307
  })
  const t = await channels({ webhooks: [localWebhook('moved', redirecting.port)] })
  await t.notify(newProducts(1))
  await expect
    .poll(() => t.logged('delivery refused'), patiently)
    .toMatchObject([{ reason: 'it answered 307, and redirects are not followed' }])
  expect(target.received).toEqual([])
})

test.each([
  ['http://127.0.0.1', '127.0.0.1 is at 127.0.0.1'],
  ['http://localhost', /localhost is at (127\.0\.0\.1|::1)/],
  ['http://[::ffff:127.0.0.1]', '[::ffff:7f00:1] is at ::ffff:7f00:1'],
])('nothing is sent to %s unless it is allowed by name', async (origin, reason) => {
  const inside = await server()
  const url = new URL(`${origin}:${inside.port}/`)
  const t = await channels({ webhooks: [{ ...localWebhook('inside', 0), url }], allowHosts: new Set() })
  await t.notify(newProducts(1))
  await expect.poll(() => t.logged('delivery refused').length, patiently).toBe(1)
  const [line] = t.logged('delivery refused')
  expect(line?.reason).toMatch(reason)
  expect(line?.reason).toContain('not a public address; allow_hosts can allow it')
  expect(inside.received).toEqual([])
})

test('an answer of any length is no burden, and breaking off after the verdict changes nothing', async () => {
  const chatty = await server((_, response) => {
    response.writeHead(200)
    response.write('x'.repeat(1024 * 1024), () => response.destroy())
    return undefined
  })
  const t = await channels({ webhooks: [localWebhook('chatty', chatty.port)] })
  await t.notify(newProducts(20))
  await expect.poll(t.statuses, patiently).toEqual({ 'chatty processed': 20 })
  expect(chatty.received).toHaveLength(20)
})

test.each([
  ['no channel is left', false],
  ['other endpoints are left', true],
])(
  'a delivery for an endpoint that was taken away waits for its return, and is dead in the end (%s)',
  async (_, others) => {
    const webhooks = others ? [localWebhook('erp', (await server()).port)] : []
    const t = await channels({ webhooks })
    const leftOver = deliveriesOf([notificationOf(testEvent())], [{ channel: 'webhook', endpoint: 'old' }])
    await append(t.pool, leftOver)
    await expect.poll(t.errors, patiently).toEqual(['webhook:old is not configured, or not any more'])
    expect(await t.statuses()).toEqual({ 'old failed': 1 })
    // All but one of the tries, about a day of them, lie behind it.
    await t.pool.query('UPDATE events SET attempts = 39, next_attempt_at = clock_timestamp()')
    await expect.poll(t.statuses, patiently).toEqual({ 'old dead': 1 })
    expect(t.logged('delivery abandoned')).toMatchObject([{ endpoint: 'webhook:old', level: 50 }])
  },
)
