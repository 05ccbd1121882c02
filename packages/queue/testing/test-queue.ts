import { randomUUID } from 'node:crypto'
import {
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { freshQueue } from '@product-events/local'
import { deadLetterQueueName, findQueueUrl } from '../find-or-create.ts'

export interface TestQueueOptions {
  fifo?: boolean
  visibilityTimeoutSeconds?: number | undefined
}

export type TestQueue = Awaited<ReturnType<typeof testQueue>>

/** A queue of its own with a dead-letter queue, and what a test wants to know of both. */
export async function testQueue(sqsEndpoint: string, options: TestQueueOptions = {}) {
  const { fifo = false, visibilityTimeoutSeconds } = options
  const { sqs, queue } = await freshQueue(sqsEndpoint, { fifo })
  if (visibilityTimeoutSeconds !== undefined) {
    const Attributes = { VisibilityTimeout: String(visibilityTimeoutSeconds) }
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }))
  }
  const deadLetterUrl = (await findQueueUrl(sqs, deadLetterQueueName(queue.name))) ?? ''
  return {
    sqs,
    queue,
    deadLetterUrl,
    /** Sends one message a body, ten a call. */
    send: (bodies: readonly unknown[], group = 'one', traceparent?: string) =>
      sendAll(sqs, queue.url, bodies, { ...(fifo && { group }), traceparent }),
    depth: () => depthOf(sqs, queue.url),
    extensions: () => countExtensions(sqs),
    async queueIsEmpty(): Promise<boolean> {
      const { visible, hidden } = await depthOf(sqs, queue.url)
      return visible + hidden === 0
    },

    /** How many messages a receiver could get now. It hides them for a minute. */
    async receivable(): Promise<number> {
      for (let count = 0; ;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: queue.url,
            MaxNumberOfMessages: 10,
            WaitTimeSeconds: 2,
            VisibilityTimeout: 60,
          }),
        )
        if (Messages.length === 0) return count
        count += Messages.length
      }
    },

    /** The first ten, which remain visible. */
    async deadLetters(): Promise<Message[]> {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      )
      return Messages
    },
  }
}

async function sendAll(
  sqs: SQSClient,
  QueueUrl: string,
  bodies: readonly unknown[],
  { group, traceparent }: { group?: string; traceparent: string | undefined },
): Promise<void> {
  const trace = { MessageAttributes: { traceparent: { DataType: 'String', StringValue: traceparent } } }
  for (let start = 0; start < bodies.length; start += 10) {
    const Entries = bodies.slice(start, start + 10).map((body, index) => ({
      Id: String(index),
      MessageBody: typeof body === 'string' ? body : ascii(body),
      ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: randomUUID() }),
      ...(traceparent && trace),
    }))
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
    if (Failed.length > 0) throw new Error(`SQS refused ${JSON.stringify(Failed)}`)
  }
}

/** Messages that are visible, and those that a receiver has and did not delete. */
async function depthOf(sqs: SQSClient, QueueUrl: string): Promise<{ visible: number; hidden: number }> {
  const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
  )
  return { visible: Number(Attributes?.[AttributeNames[0]]), hidden: Number(Attributes?.[AttributeNames[1]]) }
}

/** Counts how often messages are hidden again, from now on. */
function countExtensions(sqs: SQSClient): () => number {
  let sent = 0
  sqs.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'ChangeMessageVisibilityBatchCommand') sent += 1
        return next(args)
      },
    { name: 'counting extensions', step: 'initialize' },
  )
  return () => sent
}

/** JSON in ASCII only: the embedded SQS refuses characters beyond U+FFFF. */
export function ascii(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
