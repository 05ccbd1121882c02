import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'
import type { Message } from './event.ts'
import { BATCH_SIZE, LONG_POLL_SECONDS } from './limits.ts'

/** What SQS takes for a queue that says nothing about its visibility timeout. */
const VISIBILITY_TIMEOUT_SECONDS = 30

/** A queue as its consumer sees it. Each call rejects with the SDK's error when it fails as a whole. */
export interface Queue {
  url: string
  /** A received message is hidden from other receivers this long, unless that is extended. */
  visibilityTimeoutSeconds: number
  /** Up to ten messages; none after `LONG_POLL_SECONDS` without one. */
  receive(): Promise<Message[]>
  /** Deletes up to ten messages and resolves with those that SQS did not delete: they will be received again. */
  delete(messages: readonly Message[]): Promise<FailedEntry[]>
  /** Hides up to ten messages for `seconds` from now. Resolves with those that SQS did not hide. */
  hide(messages: readonly Message[], seconds: number): Promise<FailedEntry[]>
}

/** An entry of a batch that SQS did not do, by the message it was about. */
export interface FailedEntry {
  message_id: string
  reason: string
  /** False when SQS says that retrying does not help, as for a receipt handle that is no longer valid. */
  retry: boolean
}

/** Asks the queue for its visibility timeout, which is also the proof that it exists. Rejects with the SDK's error. */
export async function openQueue(client: unknown, url: string): Promise<Queue> {
  const sqs = client as SQSClient
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['VisibilityTimeout'] }),
  )
  const seconds = Number(Attributes?.VisibilityTimeout ?? VISIBILITY_TIMEOUT_SECONDS)
  return {
    url,
    // A queue may say 0, and then no message in work would be hidden.
    visibilityTimeoutSeconds: Math.max(1, seconds),
    receive: () => receiveMessages(sqs, url),
    delete: (messages) => deleteMessages(sqs, url, messages),
    hide: (messages, hiddenSeconds) => hideMessages(sqs, url, messages, hiddenSeconds),
  }
}

async function receiveMessages(sqs: SQSClient, url: string): Promise<Message[]> {
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: BATCH_SIZE,
      WaitTimeSeconds: LONG_POLL_SECONDS,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
    }),
  )
  return Messages ?? []
}

export async function deleteMessages(
  sqs: SQSClient,
  url: string,
  messages: readonly Message[],
): Promise<FailedEntry[]> {
  if (messages.length === 0) return []
  const Entries = messages.map((message, index) => ({ Id: String(index), ReceiptHandle: message.ReceiptHandle }))
  const { Successful = [], Failed = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries }))
  return notDone(messages, Successful, Failed)
}

export async function hideMessages(
  sqs: SQSClient,
  url: string,
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
    new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries }),
  )
  return notDone(messages, Successful, Failed)
}

interface FailedInSqs {
  Id?: string | undefined
  Code?: string | undefined
  Message?: string | undefined
  SenderFault?: boolean | undefined
}

/** Entry by entry; one that SQS mentions nowhere was not done either. */
function notDone(
  messages: readonly Message[],
  successful: readonly { Id?: string | undefined }[],
  failed: readonly FailedInSqs[],
): FailedEntry[] {
  const done = new Set(successful.map((entry) => entry.Id))
  const reasons = new Map(failed.map((entry) => [entry.Id, entry]))
  return messages.flatMap((message, index) => {
    const id = String(index)
    if (done.has(id)) return []
    const { Message, Code, SenderFault } = reasons.get(id) ?? {}
    const reason = Message ?? Code ?? 'SQS gave no answer for this entry'
    return [{ message_id: message.MessageId ?? '', reason, retry: SenderFault !== true }]
  })
}
