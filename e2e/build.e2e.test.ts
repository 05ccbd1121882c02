import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { freePort, localCredentials, startProgram, untilReady } from '@product-events/local'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { allNotifications, createProduct } from './api.ts'
import { type Service, type Stack, startStack } from './stack.ts'
import { openChromium } from './console/browser.ts'
import { missedBudgets } from './console/first-view.ts'
import { type Collector, startCollector } from './tracing/collector.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')

let elsewhere: string
let stack: Stack | undefined
let collector: Collector
beforeAll(async () => {
  await run(process.execPath, [join(root, 'deploy/build.ts')])
  // Where no node_modules is in reach, as in an image.
  elsewhere = await mkdtemp('/tmp/product-events-dist-')
  await cp(join(root, 'dist'), elsewhere, { recursive: true })
  collector = await startCollector()
})
afterAll(async () => {
  await stack?.stop()
  await collector.close()
  await rm(elsewhere, { recursive: true, force: true })
})

test('the bundles do the whole job on plain Node, with migrations, traced, and without node_modules', async () => {
  const queueName = `bundles-${randomUUID()}`
  const running = await startStack({
    postgresUrl: inject('postgresUrl'),
    sqsEndpoint: inject('sqsEndpoint'),
    queueName,
    mains: {
      'product-service': join(elsewhere, 'product-service.js'),
      'notification-service': join(elsewhere, 'notification-service.js'),
    },
    tracing: join(elsewhere, 'tracing.js'),
    variables: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint },
  })
  stack = running
  const product = await createProduct(running.products.url, 'Bundled tea')
  await expect
    .poll(() => allNotifications(running.notifications.url), { timeout: 30_000 })
    .toMatchObject([{ event_type: 'product.created', product_id: product.id }])
  expect(running.products.log[0]).toMatchObject({ level: 'info', service: 'product-service' })

  const onCall = (command: string, { databaseUrl }: Service) =>
    run(process.execPath, [join(elsewhere, command), 'status'], {
      env: {
        ...localCredentials,
        DATABASE_URL: databaseUrl,
        AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
        SQS_QUEUE_NAME: queueName,
      },
    })
  expect((await onCall('outbox.js', running.products)).stdout).toMatch(/^processed +/m)
  expect((await onCall('inbox.js', running.notifications)).stdout).toMatch(
    new RegExp(`/${queueName}-dlq +0 +0 +0$`, 'm'),
  )
  const traceId = String(running.notifications.log.find((line) => line.product_id === product.id)?.trace_id)
  await expect
    .poll(() => collector.ofTrace(traceId).map(({ service, kind }) => `${service} ${kind}`), { timeout: 10_000 })
    .toEqual(expect.arrayContaining(['product-service server', 'notification-service consumer']))
})

test('the bundled console serves its page, as small as promised', async () => {
  const port = await freePort()
  const part = startProgram('console', {
    main: join(elsewhere, 'console.js'),
    preload: [],
    onLine: () => {},
    variables: {
      DATABASE_URL: inject('postgresUrl'),
      AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
      HTTP_PORT: String(port),
    },
  })
  const browser = await openChromium()
  try {
    await untilReady(part, port)
    expect(await missedBudgets(browser, `http://127.0.0.1:${port}/`)).toEqual([])
  } finally {
    await browser.close()
    await part.stop()
  }
})
