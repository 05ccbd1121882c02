import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { productEvent } from '@product-events/contracts'
import { findOrCreateQueue } from '@product-events/queue'

/** Calls under way at once. */
const SENDERS = 8

/**
 * Puts so many events on a queue, each of a product of its own: on a new one, which it returns, unless told on which.
 */
export async function fillQueue(sqs: SQSClient, messages: number, onto?: { name: string; url: string }) {
  const queue = onto ?? (await findOrCreateQueue(sqs, `bench-${randomBytes(6).toString('hex')}`))
  let left = messages / 10
  const sendBatches = async () => {
    while (left-- > 0) {
      const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: String(index), MessageBody: body() }))
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
    }
  }
  await Promise.all(Array.from({ length: SENDERS }, sendBatches))
  return queue
}

function body(): string {
  const time = new Date().toISOString()
  const product = { id: randomUUIDv7(), name: 'Green tea', description: '', price: 4.5, version: 1 }
  const event = productEvent(
    'product.created',
    { ...product, created_at: time, updated_at: time },
    { sequence: 1, time },
  )
  return JSON.stringify(event)
}
