import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { freshQueue } from '@product-events/local'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { allNotifications, createProduct, deleteProduct } from './api.ts'
import { type Stack, startStack } from './stack.ts'

/** The relay is nudged, so milliseconds are the rule; after an outage its backoff may be a while. */
const ARRIVES = { timeout: 60_000, interval: 50 }

describe.each([
  ['a standard queue', false],
  ['a FIFO queue', true],
])('on %s', (_, fifo) => {
  let stack: Stack
  beforeAll(async () => {
    const [postgresUrl, sqsEndpoint] = [inject('postgresUrl'), inject('sqsEndpoint')]
    const { sqs, queue } = await freshQueue(sqsEndpoint, { fifo })
    // What a killed consumer had in hand comes back after this long, and not after half a minute.
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { VisibilityTimeout: '5' } }))
    sqs.destroy()
    stack = await startStack({ postgresUrl, sqsEndpoint, queueName: queue.name })
  })
  afterAll(() => stack.stop())

  /** `created` or `deleted`, in the order of their sequence, for each notification of the product. */
  async function told(productId: string): Promise<string[]> {
    const all = await allNotifications(stack.notifications.url, productId)
    return all
      .toSorted((a, b) => Number(a.sequence) - Number(b.sequence))
      .map((notification) => notification.event_type)
  }

  test('creating and deleting a product is notified once each, logged by both services, and counted by both', async () => {
    const { products, notifications } = stack
    const product = await createProduct(products.url, 'Green tea')
    await deleteProduct(products.url, product.id)

    await expect.poll(() => told(product.id), ARRIVES).toEqual(['product.created', 'product.deleted'])
    expect(await products.metric('products_created_total')).toBe(1)
    expect(await products.metric('products_deleted_total')).toBe(1)
    expect(await products.metric('outbox_events_published_total')).toBe(2)
    expect(await notifications.metric('notifications_total')).toBe(2)

    const linesOf = (log: Record<string, unknown>[]) => log.filter((line) => line.product_id === product.id)
    await expect.poll(() => linesOf(notifications.log).length).toBe(2)
    expect(linesOf(products.log).length).toBeGreaterThanOrEqual(2)
    const [line] = linesOf(notifications.log)
    expect(line).toMatchObject({ level: 'info', service: 'notification-service', event_id: expect.any(String) })
  })

  test('what is created while notification-service is down is notified once it is back', async () => {
    const { products, notifications } = stack
    await notifications.stop()
    const made = []
    for (let n = 1; n <= 12; n++) made.push(await createProduct(products.url, `Waiting ${n}`))
    await expect.poll(() => products.metric('outbox_events_published_total'), ARRIVES).toBeGreaterThanOrEqual(14)

    await notifications.start()
    for (const { id } of made) await expect.poll(() => told(id), ARRIVES).toEqual(['product.created'])
  })

  test('killing both services right after the answer loses nothing and notifies nothing twice', async () => {
    const { products, notifications } = stack
    const made = await Promise.all(Array.from({ length: 25 }, (_, n) => createProduct(products.url, `Survivor ${n}`)))
    await Promise.all([products.kill(), notifications.kill()])
    await Promise.all([products.start(), notifications.start()])

    for (const { id } of made) await expect.poll(() => told(id), ARRIVES).toEqual(['product.created'])
    expect((await fetch(`${products.url}/products/${made[0]?.id}`)).status).toBe(200)
    const ids = (await allNotifications(notifications.url)).map((notification) => notification.event_id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('many changes of many products at once are notified once each, on FIFO in the order of their sequence', async () => {
    const { products, notifications } = stack
    const made = await Promise.all(Array.from({ length: 20 }, (_, n) => createProduct(products.url, `Brief ${n}`)))
    await Promise.all(made.map(({ id }) => deleteProduct(products.url, id)))
    const both = ['product.created', 'product.deleted']
    for (const { id } of made) await expect.poll(() => told(id), ARRIVES).toEqual(both)

    // Newest first, by the order in which they were stored.
    const stored = (await allNotifications(notifications.url)).toReversed()
    if (fifo)
      for (const { id } of made)
        expect(stored.filter((one) => one.product_id === id).map((one) => one.event_type)).toEqual(both)
  })
})
