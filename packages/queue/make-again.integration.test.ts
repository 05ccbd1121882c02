import {
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import { freshQueue, localCredentials } from '@product-events/local'
import { expect, inject, test, vi } from 'vitest'
import { connectSqs, makeAgainWhenGone } from './index.ts'

test('a queue that is gone is made again, with its dead-letter queue, and sends arrive', async () => {
  const { sqs, queue } = await freshQueue(inject('sqsEndpoint'))
  const { sqs: other } = await freshQueue(inject('sqsEndpoint'))
  let made = 0
  makeAgainWhenGone(sqs, queue.name, () => made++).begin()
  const send = () => sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: 'hello' }))
  await send()
  await other.send(new DeleteQueueCommand({ QueueUrl: queue.url }))
  await expect(send()).rejects.toThrow(/exist/)
  await vi.waitFor(send, { timeout: 50_000 })
  expect(made).toBe(1)
  const { Attributes } = await other.send(
    new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['RedrivePolicy'] }),
  )
  expect(Attributes?.RedrivePolicy).toContain(`${queue.name}-dlq`)
  sqs.destroy()
  other.destroy()
})

test('a dead-letter queue that is gone is made again, and a queue that is there is not called gone', async () => {
  const { sqs: other, queue } = await freshQueue(inject('sqsEndpoint'))
  const region = localCredentials.AWS_REGION
  const sqs = connectSqs({ endpoint: inject('sqsEndpoint'), region, requestTimeoutMs: 5_000, maxConnections: 2 })
  let made = 0
  makeAgainWhenGone(sqs, queue.name, () => made++).begin()
  const deadLetters = `${queue.name}-dlq`
  const find = () => sqs.send(new GetQueueUrlCommand({ QueueName: deadLetters }))
  const { QueueUrl } = await find()
  await other.send(new DeleteQueueCommand({ QueueUrl }))
  await expect(find()).rejects.toThrow(/exist/)
  await vi.waitFor(find, { timeout: 50_000 })
  expect(made).toBe(1)
  // Another part is missing: nothing of ours was made.
  await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'another' }))).rejects.toThrow(/exist/)
  expect(made).toBe(1)
  sqs.destroy()
  other.destroy()
})
