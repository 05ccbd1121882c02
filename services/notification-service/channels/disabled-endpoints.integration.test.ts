import { afterEach, expect, inject, test } from 'vitest'
import { localWebhook, newProducts, testChannels } from './testing/channels.ts'
import { webhookServer } from './testing/receivers.ts'

const patiently = { timeout: 15_000, interval: 20 }

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function setUp(status: () => number) {
  const [erp, steady] = [await webhookServer(status), await webhookServer()]
  opened.push(erp.close, steady.close)
  const webhooks = [localWebhook('erp', erp.port), localWebhook('steady', steady.port)]
  const t = await testChannels(inject('postgresUrl'), { webhooks })
  opened.push(t.close)
  return { t, erp, steady }
}

test('notifications and deliveries go on while the list of disabled endpoints can not be read; it is said once', async () => {
  const { t, erp, steady } = await setUp(() => 204)
  await t.pool.query('ALTER TABLE disabled_endpoints RENAME TO hidden')
  for (let round = 1; round <= 3; round++) {
    await t.notify(newProducts(5))
    await expect.poll(() => [erp.accepted.length, steady.accepted.length], patiently).toEqual([5 * round, 5 * round])
  }
  await expect.poll(() => t.logged('the list of disabled endpoints can not be read').length, patiently).toBe(1)
  await t.pool.query('ALTER TABLE hidden RENAME TO disabled_endpoints')
  await expect
    .poll(async () => {
      await t.notify(newProducts(1))
      return t.logged('the list of disabled endpoints can be read again').length
    }, patiently)
    .toBe(1)
  expect(t.logged('the list of disabled endpoints can not be read')).toHaveLength(1)
  expect(t.logged('deliveries rest')).toEqual([])
})

test('a 410 that can not be remembered is retried, and stops no other endpoint', async () => {
  const { t, erp, steady } = await setUp(() => 410)
  await t.pool.query('ALTER TABLE disabled_endpoints RENAME TO hidden')
  await t.notify(newProducts(3))
  await expect.poll(() => steady.accepted.length, patiently).toBe(3)
  await expect.poll(async () => (await t.statuses())['erp failed'], patiently).toBe(3)
  expect((await t.errors()).filter(Boolean)[0]).toMatch(/^it answered 410 Gone, but it could not be disabled: /)
  await t.pool.query('ALTER TABLE hidden RENAME TO disabled_endpoints')
  await expect.poll(async () => (await t.statuses())['erp dead'], patiently).toBe(3)
  expect(t.logged('endpoint disabled')).toHaveLength(1)
  expect(erp.accepted).toEqual([])
})
