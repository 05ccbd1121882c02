import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import { VISIBILITY_TIMEOUT_SECONDS } from '@product-events/queue'

export type { Message }

/** The most that SQS takes or gives in one call. */
export const BATCH_SIZE = 10

/**
 * How long SQS holds an empty receive open. SQS allows 20 s, but a poll must not be aborted (SQS may hand its message to
 * the dead connection and then hide it until its visibility timeout), so a process that is told to stop has to sit it
 * out; and it must be gone within 10 s, of which a database that hangs may take 5. The price of 3 s: an idle receiver
 * asks 20 times a minute instead of 3, about 0.35 USD a month on AWS. Delivery is no slower: a message ends the poll.
 */
export const LONG_POLL_SECONDS = 3

/** A queue as its consumer sees it. */
export interface SourceQueue {
  url: string
  /** A received message is hidden from other receivers this long, unless that is extended. */
  visibilityTimeoutSeconds: number
}

/** An entry of a batch that SQS did not do, by the message it was about. */
export interface FailedEntry {
  message_id: string
  reason: string
}

/** Asks the queue for its visibility timeout, which is also the proof that it is there. Rejects with the SDK's error. */
export async function sourceQueue(sqs: SQSClient, url: string): Promise<SourceQueue> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout'] }),
  )
  const seconds = Number(Attributes?.VisibilityTimeout ?? VISIBILITY_TIMEOUT_SECONDS)
  // A queue may say 0, and then nothing in work would ever be hidden.
  return { url, visibilityTimeoutSeconds: Math.max(1, seconds) }
}

/** Up to ten messages; none after `LONG_POLL_SECONDS` without one. */
export async function receiveMessages(sqs: SQSClient, queue: SourceQueue): Promise<Message[]> {
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: queue.url,
      MaxNumberOfMessages: BATCH_SIZE,
      WaitTimeSeconds: LONG_POLL_SECONDS,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    }),
  )
  return Messages ?? []
}

/** Seconds that a message was in the queue until now, its first receive; undefined when it was received before. */
export function waitSeconds({ Attributes }: Message): number | undefined {
  if (Attributes?.ApproximateReceiveCount !== '1' || Attributes.SentTimestamp === undefined) return undefined
  return (Date.now() - Number(Attributes.SentTimestamp)) / 1000
}

/** Deletes up to ten messages and resolves with those that SQS did not delete: they will be received again. */
export async function deleteMessages(
  sqs: SQSClient,
  queue: SourceQueue,
  messages: readonly Message[],
): Promise<FailedEntry[]> {
  if (messages.length === 0) return []
  const Entries = messages.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }))
  const { Successful = [], Failed = [] } = await sqs.send(
    new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries }),
  )
  return notDone(messages, Successful, Failed)
}

/** Hides up to ten messages for `seconds` from now; 0 gives them back at once. Resolves with those that SQS did not hide. */
export async function hideMessages(
  sqs: SQSClient,
  queue: SourceQueue,
  messages: readonly Message[],
  seconds: number,
): Promise<FailedEntry[]> {
  if (messages.length === 0) return []
  const Entries = messages.map((message, index) => ({
    Id: String(index),
    ReceiptHandle: message.ReceiptHandle,
    VisibilityTimeout: seconds,
  }))
  const { Successful = [], Failed = [] } = await sqs.send(
    new ChangeMessageVisibilityBatchCommand({ QueueUrl: queue.url, Entries }),
  )
  return notDone(messages, Successful, Failed)
}

/** Entry by entry; one that SQS mentions nowhere was not done either. */
function notDone(
  messages: readonly Message[],
  successful: readonly { Id?: string | undefined }[],
  failed: readonly { Id?: string | undefined; Code?: string | undefined; Message?: string | undefined }[],
): FailedEntry[] {
  const done = new Set(successful.map((entry) => entry.Id))
  const reasons = new Map(failed.map((entry) => [entry.Id, entry.Message ?? entry.Code]))
  return messages.flatMap((message, index) => {
    const id = String(index)
    if (done.has(id)) return []
    return [{ message_id: message.MessageId ?? '', reason: reasons.get(id) ?? 'SQS gave no answer for this entry' }]
  })
}
