import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type QueueAttributeName,
  type SQSClient,
} from '@aws-sdk/client-sqs'

/** A message that was received this often without being deleted goes to the dead-letter queue. */
export const MAX_RECEIVE_COUNT = 5
/** The longest that SQS keeps a message: a dead letter must survive a fortnight's holiday. */
export const RETENTION_SECONDS = 14 * 24 * 3600
/** A received message is hidden this long; the consumer extends it while it works on. */
export const VISIBILITY_TIMEOUT_SECONDS = 30

export interface Queue {
  name: string
  url: string
  fifo: boolean
}

/**
 * `orders` → `orders-dlq`; `orders.fifo` → `orders-dlq.fifo`, since the dead-letter queue of a FIFO queue must be FIFO.
 */
export function deadLetterQueueName(name: string): string {
  return isFifo(name) ? name.replace(/\.fifo$/, '-dlq.fifo') : `${name}-dlq`
}

/** The last part of a queue's URL, at AWS and at its emulators. */
export function queueNameOf(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1)
}

export function isFifo(nameOrUrl: string): boolean {
  return nameOrUrl.endsWith('.fifo')
}

/**
 * The queue of that name, made together with its dead-letter queue if it does not exist. An existing queue is left as
 * it is. Two processes may do this at once. Rejects with the SDK's error when SQS can't be reached or refuses.
 */
export async function findOrCreateQueue(sqs: SQSClient, name: string): Promise<Queue> {
  const url = (await findQueueUrl(sqs, name)) ?? (await createWithDeadLetterQueue(sqs, name))
  return { name, url, fifo: isFifo(name) }
}

/**
 * Creates the queue of that name and its dead-letter queue where they are missing. Resolves with whether one was.
 * Rejects with the SDK's error.
 */
export async function makeMissing(sqs: SQSClient, name: string): Promise<boolean> {
  const url = await findQueueUrl(sqs, name)
  if (url === undefined) {
    await createWithDeadLetterQueue(sqs, name)
    return true
  }
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['RedrivePolicy'] }),
  )
  const { deadLetterTargetArn } = JSON.parse(Attributes?.RedrivePolicy ?? '{}') as { deadLetterTargetArn?: string }
  const deadLetterName = deadLetterTargetArn?.split(':').at(-1)
  if (deadLetterName === undefined || (await findQueueUrl(sqs, deadLetterName)) !== undefined) return false
  await create(sqs, deadLetterName, {})
  return true
}

/**
 * The queue at that URL, which must exist. Rejects with the SDK's error when it does not exist or SQS does not answer.
 */
export async function findQueueAt(sqs: SQSClient, url: string): Promise<Queue> {
  await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }))
  return { name: queueNameOf(url), url, fifo: isFifo(url) }
}

/** The URL of an existing queue, or undefined if there is none of that name. */
export async function findQueueUrl(sqs: SQSClient, name: string): Promise<string | undefined> {
  try {
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: name }))
    return QueueUrl
  } catch (error) {
    if (isNoQueue(error)) return undefined
    throw error
  }
}

/** AWS says QueueDoesNotExist, older protocols AWS.SimpleQueueService.NonExistentQueue. */
export function isNoQueue(error: unknown): boolean {
  return /(QueueDoesNotExist|NonExistentQueue)$/.test((error as Error).name)
}

async function createWithDeadLetterQueue(sqs: SQSClient, name: string): Promise<string> {
  const deadLetterUrl = await create(sqs, deadLetterQueueName(name), {})
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
  )
  return create(sqs, name, {
    VisibilityTimeout: String(VISIBILITY_TIMEOUT_SECONDS),
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: MAX_RECEIVE_COUNT }),
  })
}

async function create(
  sqs: SQSClient,
  name: string,
  attributes: Partial<Record<QueueAttributeName, string>>,
): Promise<string> {
  // High throughput for FIFO: order and deduplication per message group, not per queue.
  const fifo = isFifo(name) && {
    FifoQueue: 'true',
    DeduplicationScope: 'messageGroup',
    FifoThroughputLimit: 'perMessageGroupId',
  }
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: { MessageRetentionPeriod: String(RETENTION_SECONDS), ...attributes, ...fifo },
    }),
  )
  if (QueueUrl === undefined) throw new Error(`SQS made the queue ${name} but gave no URL`)
  return QueueUrl
}
