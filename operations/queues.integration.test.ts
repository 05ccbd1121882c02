import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { findQueues } from '@product-events/inbox/command'
import { freshQueue } from '@product-events/local'
import { expect, inject, onTestFinished, test } from 'vitest'

test('a missing queue is named, and so is a missing dead-letter queue', async () => {
  const { sqs, queue } = await freshQueue(inject('sqsEndpoint'))
  onTestFinished(() => sqs.destroy())
  const named = findQueues(sqs, { queueName: 'no-such-queue', queueUrl: undefined })
  await expect(named).rejects.toThrow('there is no queue no-such-queue')
  const { deadLetterUrl } = await findQueues(sqs, { queueName: queue.name, queueUrl: queue.url })
  await sqs.send(new DeleteQueueCommand({ QueueUrl: deadLetterUrl }))
  const found = findQueues(sqs, { queueName: queue.name, queueUrl: queue.url })
  await expect(found).rejects.toThrow(`there is no dead-letter queue ${queue.name}-dlq`)
})
