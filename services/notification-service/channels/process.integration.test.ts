import type { UUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { afterEach, expect, inject, test } from 'vitest'
import { spawnService } from '../testing/process.ts'
import { testConsumer, testEvent } from '../testing/consumer.ts'
import { newSecret, type Received, webhookServer } from './testing/receivers.ts'

/** A relay that was killed is replaced when its lease runs out, after 10 seconds at most. */
const patiently = { timeout: 25_000, interval: 50 }

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

/** The service as a process, with one webhook endpoint on this machine. */
async function setUp(fifo: boolean, answer: (request: Received) => number) {
  const t = await testConsumer({ postgresUrl: inject('postgresUrl'), sqsEndpoint: inject('sqsEndpoint'), fifo })
  opened.push(t.close)
  const server = await webhookServer(answer)
  opened.push(server.close)
  const dir = await mkdtemp('/tmp/channels-test-')
  opened.push(() => rm(dir, { recursive: true, force: true }))
  const file = {
    webhooks: [{ name: 'erp', url: `http://localhost:${server.port}/`, secret_env: 'ERP_SECRET' }],
    allow_hosts: ['localhost'],
  }
  await writeFile(`${dir}/channels.json`, JSON.stringify(file))
  const start = async () => {
    const service = await spawnService({
      DATABASE_URL: t.databaseUrl,
      SQS_QUEUE_NAME: t.queueName,
      AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
      CHANNELS_FILE: `${dir}/channels.json`,
      ERP_SECRET: newSecret(),
    })
    opened.push(service.end)
    await service.ready()
    return service
  }
  return { t, server, start }
}

test('deliveries that are waiting when the process is killed are made by the next one, in order for each product', async () => {
  let up = false
  const { t, server, start } = await setUp(false, () => (up ? 204 : 503))
  const first = await start()
  const products = Array.from({ length: 5 }, () => testEvent())
  // One after the other, since a standard queue may reorder messages of one batch.
  for (const sequence of [1, 2, 3]) {
    await t.send(products.map(({ subject }) => testEvent('product.updated', { productId: subject as UUID, sequence })))
    await expect.poll(async () => (await t.notifications()).length, patiently).toBe(products.length * sequence)
  }
  await expect.poll(() => server.received.length, patiently).toBeGreaterThan(0)
  first.kill('SIGKILL')
  await first.exit
  up = true

  await start()
  await expect.poll(() => server.accepted.length, patiently).toBe(products.length * 3)
  for (const { subject } of products) {
    const sequences = server.accepted.filter(({ data }) => data.product_id === subject).map(({ data }) => data.sequence)
    expect(sequences).toEqual(['1', '2', '3'])
  }
  const ids = server.accepted.map(({ headers }) => headers['webhook-id'])
  expect(new Set(ids).size).toBe(ids.length)
})

test('only what is new is delivered: neither a duplicate nor what the database refuses, which takes no neighbour along', async () => {
  const { t, server, start } = await setUp(true, () => 204)
  const events = Array.from({ length: 8 }, () => testEvent())
  const refused = testEvent('product.created', { name: 'U+0000: \u0000' })
  const service = await start()
  for (const event of [...events, refused, ...events]) await t.send([event], event.subject)
  await expect.poll(() => server.accepted.length, patiently).toBe(events.length)
  await expect.poll(() => service.logged('the database refuses').length, patiently).toBeGreaterThan(0)
  await expect.poll(async () => (await t.depth()).visible, patiently).toBe(0)

  const delivered = server.received.map(({ data }) => data.event_id).toSorted()
  expect(delivered).toEqual(events.map((event) => event.id).toSorted())
  service.kill('SIGTERM')
  expect(await service.exit).toEqual([0, null])
  expect(service.stderr()).toBe('')
})
