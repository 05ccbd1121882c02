import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { connect } from '@product-events/database'
import { freePort } from '@product-events/local'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { webhookServer, newSecret } from '../../services/notification-service/channels/testing/receivers.ts'
import { createProduct } from '../api.ts'
import { startTcpProxy, type TcpProxy } from '../faults/tcp-proxy.ts'
import { createService, type LogLine, type Service } from '../stack.ts'
import { type Collector, startCollector } from './collector.ts'
import { outline, printTree } from './tree.ts'

/** Spans are exported once a second. */
const patiently = { timeout: 20_000, interval: 50 }
const root = resolve(import.meta.dirname, '../..')

const opened = new AsyncDisposableStack()
const queueName = `traced-${randomUUID()}`
let collector: Collector
let webhook: Awaited<ReturnType<typeof webhookServer>>
/** Between product-service and SQS. */
let network: TcpProxy
let products: Service
let relay: Service
let notifications: Service

beforeAll(async () => {
  const [postgresUrl, sqsEndpoint] = [inject('postgresUrl'), inject('sqsEndpoint')]
  collector = opened.adopt(await startCollector(), ({ close }) => close())
  webhook = opened.adopt(await webhookServer(), ({ close }) => close())
  network = await startTcpProxy({ port: await freePort(), targetPort: Number(new URL(sqsEndpoint).port) })
  opened.defer(network.close)
  const dir = opened.adopt(await mkdtemp('/tmp/traced-'), (dir) => rm(dir, { recursive: true, force: true }))
  const channels = {
    webhooks: [{ name: 'shop', url: `http://localhost:${webhook.port}/`, secret_env: 'SHOP_SECRET' }],
    allow_hosts: ['localhost'],
  }
  await writeFile(`${dir}/channels.json`, JSON.stringify(channels))

  const tracing = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint }
  const behindNetwork = { postgresUrl, sqsEndpoint: `http://127.0.0.1:${network.port}`, variables: tracing }
  products = await createService('product-service', queueName, behindNetwork)
  relay = await createService('product-service', queueName, {
    ...behindNetwork,
    databaseUrl: products.databaseUrl,
    mains: { 'product-service': join(root, 'services/product-service/relay-main.ts') },
  })
  notifications = await createService('notification-service', queueName, {
    postgresUrl,
    sqsEndpoint,
    variables: { ...tracing, CHANNELS_FILE: `${dir}/channels.json`, SHOP_SECRET: newSecret() },
  })
  for (const service of [products, relay, notifications]) opened.defer(() => service.kill())
  await Promise.all([products.start(), notifications.start()])
})
afterAll(() => opened.disposeAsync())

/** Waits until these are the names of a trace's spans, one below the other. What failed on the way is left out. */
async function expectTree(traceId: string, expected: string[]): Promise<void> {
  await vi.waitFor(() => {
    const spans = collector.ofTrace(traceId)
    const tree = outline(spans.filter(({ failed }) => !failed)).map((line) => line.replace(queueName, 'queue'))
    expect(tree, printTree(spans)).toEqual(expected)
  }, patiently)
}

const linesOf = (log: LogLine[], traceId: string) => log.filter((line) => line.trace_id === traceId)

/** The spans after a request, whichever relay sends its event. */
const fromThere = (sender: string) => [
  '  product-service: INSERT products',
  `  ${sender}: publish queue`,
  '    notification-service: process queue',
  '      notification-service: INSERT notifications',
  '      notification-service: deliver webhook:shop',
]

test('a request, its event, its message, its notification and its webhook are one trace, which both logs name', async () => {
  const [traceId, caller] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  const answer = await fetch(`${products.url}/products`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${caller}-01`,
      tracestate: 'shop=7',
      'x-request-id': 'traced-request',
    },
    body: JSON.stringify({ name: 'Green tea', price: 4.5 }),
  })
  expect(answer.status).toBe(201)
  const product = (await answer.json()) as { id: string }

  await expectTree(traceId, ['product-service: POST /products', ...fromThere('product-service')])
  const spans = collector.ofTrace(traceId)
  const named = (name: string) => spans.find((span) => span.name.startsWith(name))
  const kinds = spans.map(({ kind }) => kind).toSorted()
  expect(kinds).toEqual(['client', 'client', 'client', 'consumer', 'producer', 'server'])
  expect(spans.filter(({ failed }) => failed)).toEqual([])
  expect(named('POST')).toMatchObject({
    parentSpanId: caller,
    attributes: { 'http.route': '/products', 'http.response.status_code': 201 },
  })
  expect(named('publish')?.attributes).toMatchObject({
    'messaging.system': 'aws_sqs',
    'messaging.destination.name': queueName,
    'cloudevents.event_subject': product.id,
    'cloudevents.event_type': 'product.created',
    'outbox.attempt': 1,
  })

  // A batch belongs to no request: it has a trace of its own, and links.
  const [sent] = collector.spans.filter((span) => span.name === `send ${queueName}`)
  expect(sent).toMatchObject({ parentSpanId: undefined, attributes: { 'messaging.batch.message_count': 1 } })
  expect(sent?.links).toEqual([{ traceId, spanId: named('publish')?.spanId }])
  const [received] = collector.spans.filter((span) => span.name === `receive ${queueName}`)
  expect(received?.links).toEqual(sent?.links)
  expect(named('process')?.links).toEqual([{ traceId: received?.traceId, spanId: received?.spanId }])

  const [delivery] = webhook.received
  expect(delivery?.headers).toMatchObject({
    traceparent: `00-${traceId}-${named('deliver')?.spanId}-01`,
    tracestate: 'shop=7',
  })
  const spanOf = (name: string) => ({ trace_id: traceId, span_id: named(name)?.spanId })
  expect(linesOf(products.log, traceId)).toMatchObject([
    { msg: 'product created', request_id: 'traced-request', product_id: product.id, ...spanOf('POST') },
    { msg: 'request', request_id: 'traced-request', ...spanOf('POST') },
  ])
  expect(linesOf(notifications.log, traceId)).toMatchObject([
    { msg: 'notification', product_id: product.id, ...spanOf('process') },
  ])
})

test('a request that finds nothing is a span without a fault, and what its caller does not record is none at all', async () => {
  const [found, unrecorded] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')]
  const get = (path: string, traceId: string, flags: string) =>
    fetch(products.url + path, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` } })
  await get('/products/none', unrecorded, '00')
  await get('/nowhere', found, '01')
  await get('/products/none', found, '01')

  await expectTree(found, ['product-service: GET none', 'product-service: GET /products/:id'])
  const statuses = collector.ofTrace(found).map((span) => span.attributes['http.response.status_code'])
  expect(statuses).toEqual([404, 404])
  expect(collector.ofTrace(unrecorded)).toEqual([])
  expect(linesOf(products.log, unrecorded)).toMatchObject([{ msg: 'request', status: 404 }])
})

test('an event that leaves later, by another process, after a redrive even, continues the trace of its request', async () => {
  network.become({ kind: 'cut' })
  const [waiting, redriven] = [await createProduct(products.url, 'Waiting'), await createProduct(products.url, 'Dead')]
  await products.stop()
  const db = connect({
    databaseUrl: products.databaseUrl,
    applicationName: 'test',
    maxConnections: 1,
    onIdleError() {},
  })
  await db.query(`UPDATE events SET status = 'dead', last_error = 'of this test' WHERE key = $1`, [redriven.id])
  await db.end()
  const env = { PATH: process.env.PATH, DATABASE_URL: products.databaseUrl }
  const redrive = [join(root, 'operations/outbox.ts'), 'redrive', '--all', '--by', 'test']
  await promisify(execFile)(process.execPath, redrive, { env })

  network.become({ kind: 'pass' })
  await relay.start()
  for (const { id } of [waiting, redriven]) {
    const created = products.log.find((line) => line.product_id === id)
    const traceId = String(created?.trace_id)
    await expectTree(traceId, ['product-service: POST /products', ...fromThere('relay')])
    // What product-service tried in vain is in the trace as well.
    expect(collector.ofTrace(traceId).some(({ failed }) => failed)).toBe(true)
    expect(linesOf(notifications.log, traceId)).toMatchObject([{ msg: 'notification', product_id: id }])
  }
  const publish = collector.spans.filter((span) => span.service === 'relay' && span.name === `publish ${queueName}`)
  expect(new Set(publish.map((span) => span.attributes['outbox.redriven']))).toEqual(new Set([0, 1]))
})
