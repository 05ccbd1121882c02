import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { allNotifications, createProduct } from './api.ts'
import { type Stack, startStack } from './stack.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')

let elsewhere: string
let stack: Stack | undefined
beforeAll(async () => {
  await run(process.execPath, [join(root, 'deploy/build.ts')])
  // Where no node_modules is in reach, as in an image.
  elsewhere = await mkdtemp('/tmp/product-events-dist-')
  await cp(join(root, 'dist'), elsewhere, { recursive: true })
})
afterAll(async () => {
  await stack?.stop()
  await rm(elsewhere, { recursive: true, force: true })
})

test('the bundles do the whole job on plain Node, with migrations and without node_modules', async () => {
  const running = await startStack({
    postgresUrl: inject('postgresUrl'),
    sqsEndpoint: inject('sqsEndpoint'),
    mains: {
      'product-service': join(elsewhere, 'product-service.js'),
      'notification-service': join(elsewhere, 'notification-service.js'),
    },
  })
  stack = running
  const product = await createProduct(running.products.url, 'Bundled tea')
  await expect
    .poll(() => allNotifications(running.notifications.url), { timeout: 30_000 })
    .toMatchObject([{ event_type: 'product.created', product_id: product.id }])
  expect(running.products.log[0]).toMatchObject({ level: 'info', service: 'product-service' })
  const help = await run(process.execPath, [join(elsewhere, 'outbox.js'), '--help'])
  expect(help.stdout).toContain('redrive')
})
