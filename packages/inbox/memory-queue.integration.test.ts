import type pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseCloudEvent } from './cloud-events.ts'
import { createMemoryQueue } from './memory-queue.ts'
import { paid, testInbox, type TestInbox } from './testing/inbox.ts'

let t: TestInbox
beforeEach(async () => {
  t = await testInbox()
})
afterEach(() => t.close())

test('a consumer runs on a queue in memory: handled messages are gone, a poison message is dead', async () => {
  const queue = createMemoryQueue({ visibilityTimeoutMs: 50 })
  const consumer = t.consumer({
    ...queue,
    handlers: {
      'order.paid': ({ payload }, tx: pg.PoolClient) =>
        tx.query('INSERT INTO invoices VALUES ($1, $2)', [payload.order, payload.amount]),
    },
  })
  queue.send(paid('a'))
  queue.send(paid('b'), { traceparent: '00-1' })
  expect(queue.messages()).toHaveLength(2)
  expect(await consumer.handleOnce()).toBe(2)
  expect(await t.invoices()).toEqual(['a', 'b'])
  expect(queue.messages()).toEqual([])

  queue.send('no event')
  const deadLetters = async () => {
    await consumer.handleOnce()
    return queue.deadLetters()
  }
  await expect.poll(deadLetters).toMatchObject([{ Body: 'no event' }])
})

test('a consumer asks for the attributes of its messages, which a queue else leaves out', async () => {
  const queue = createMemoryQueue()
  const received: unknown[] = []
  const consumer = t.consumer({
    ...queue,
    handlers: { 'order.paid': () => Promise.resolve() },
    parse(message) {
      received.push([message.MessageAttributes?.traceparent?.StringValue, message.Attributes?.ApproximateReceiveCount])
      return parseCloudEvent(message)
    },
  })
  queue.send(paid('a'), { traceparent: '00-1' })
  expect(await consumer.handleOnce()).toBe(1)
  expect(received).toEqual([['00-1', '1']])
})
