import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { Message } from '../event.ts'
import { BATCH_SIZE } from '../limits.ts'
import { deleteMessages, hideMessages } from '../messages.ts'

/**
 * Waiting makes SQS ask all of its servers: an empty answer then means that there is nothing more. Longer than
 * `GIVE_BACK_SECONDS`, so that a look just before hides nothing.
 */
const WAIT_SECONDS = 2

/**
 * Messages that are given back are visible again after a second. At once would fail in the embedded SQS when it keeps
 * its data on disk ("NOT NULL constraint failed"), which then shows the message only after a restart.
 */
const GIVE_BACK_SECONDS = 1

/** The queue and its dead-letter queue. */
export interface Queues {
  sqs: SQSClient
  queueUrl: string
  deadLetterUrl: string
  fifo: boolean
  /** After so many receives SQS moves a message to the dead-letter queue. Undefined without a redrive policy. */
  maxReceives: number | undefined
}

export interface Depth {
  visible: number
  in_flight: number
  delayed: number
}

/**
 * Finds a queue and its dead-letter queue: the one of its redrive policy, or `<queue>-dlq`. Creates neither. Rejects
 * with the SDK's error, or with one that names the queue that does not exist.
 */
export async function findQueues(
  sqs: SQSClient,
  { queueName, queueUrl }: { queueName?: string | undefined; queueUrl?: string | undefined },
): Promise<Queues> {
  const url = queueUrl ?? (await findUrl(sqs, queueName ?? ''))
  if (url === undefined) throw new Error(`there is no queue ${queueName}`)
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['RedrivePolicy'] }),
  )
  const policy = JSON.parse(Attributes?.RedrivePolicy ?? '{}') as RedrivePolicy
  const name = url.slice(url.lastIndexOf('/') + 1)
  const fifo = name.endsWith('.fifo')
  const usualName = fifo ? name.replace(/\.fifo$/, '-dlq.fifo') : `${name}-dlq`
  const deadLetterName = policy.deadLetterTargetArn?.split(':').at(-1) ?? usualName
  const deadLetterUrl = await findUrl(sqs, deadLetterName)
  if (deadLetterUrl === undefined) throw new Error(`there is no dead-letter queue ${deadLetterName}`)
  const maxReceives = policy.maxReceiveCount === undefined ? undefined : Number(policy.maxReceiveCount)
  return { sqs, queueUrl: url, deadLetterUrl, fifo, maxReceives }
}

interface RedrivePolicy {
  /** `arn:aws:sqs:region:account:name` */
  deadLetterTargetArn?: string
  maxReceiveCount?: number | string
}

async function findUrl(sqs: SQSClient, name: string): Promise<string | undefined> {
  try {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl
  } catch (error) {
    // AWS says QueueDoesNotExist, older protocols AWS.SimpleQueueService.NonExistentQueue.
    if (/(QueueDoesNotExist|NonExistentQueue)$/.test((error as Error).name)) return undefined
    throw error
  }
}

export async function depthOf(sqs: SQSClient, url: string): Promise<Depth> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  )
  return {
    visible: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
    in_flight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0),
  }
}

/**
 * Receives from the dead-letter queue until there is nothing more or `limit` are in hand or `signal` aborts, and hides
 * them for `seconds`. A queue without a redrive policy of its own does not mind how often its messages are received. Of
 * a group of a FIFO queue it gets only what SQS gives before the first of them is deleted.
 */
export async function takeDeadLetters(
  { sqs, deadLetterUrl }: Queues,
  { limit, seconds, into, signal }: { limit: number; seconds: number; into: Message[]; signal: AbortSignal },
): Promise<void> {
  while (into.length < limit && !signal.aborted) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: deadLetterUrl,
        MaxNumberOfMessages: Math.min(BATCH_SIZE, limit - into.length),
        WaitTimeSeconds: WAIT_SECONDS,
        VisibilityTimeout: seconds,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SentTimestamp', 'MessageGroupId'],
      }),
    )
    if (Messages.length === 0) return
    into.push(...(Messages as Message[]))
  }
}

/** Makes messages visible again in a second. After a failure SQS does so when their visibility timeout is over. */
export async function giveBack({ sqs, deadLetterUrl }: Queues, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH_SIZE) {
    await hideMessages(sqs, deadLetterUrl, messages.slice(start, start + BATCH_SIZE), GIVE_BACK_SECONDS)
  }
}

/**
 * Sends a message to the queue again, as it was. On a FIFO queue under a deduplication id of its own: under the old one
 * SQS would take it for a repetition, if it is less than five minutes old, and throw it away.
 */
export async function sendAgain({ sqs, queueUrl, fifo }: Queues, message: Message): Promise<void> {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, ...value }]) => [
    name,
    value.BinaryValue ? { DataType, BinaryValue: value.BinaryValue } : { DataType, StringValue: value.StringValue },
  ])
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: message.Body,
      MessageAttributes: Object.fromEntries(attributes),
      ...(fifo && {
        MessageGroupId: message.Attributes?.MessageGroupId ?? message.MessageId,
        MessageDeduplicationId: `redrive-${message.MessageId}`,
      }),
    }),
  )
}

/** False when SQS did not delete it. */
export async function deleteDeadLetter({ sqs, deadLetterUrl }: Queues, message: Message): Promise<boolean> {
  const failed = await deleteMessages(sqs, deadLetterUrl, [message])
  return failed.length === 0
}

export async function purge({ sqs, deadLetterUrl }: Queues): Promise<void> {
  await sqs.send(new PurgeQueueCommand({ QueueUrl: deadLetterUrl }))
}
