import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import { isFifo } from '@product-events/queue'
import { depthOf } from '@product-events/inbox/command'
import type { Queues } from '@product-events/inbox/command'

/** What one receive gives at most. */
const BATCH = 10
/** A message that was given back is visible a second later, so a wait of two finds it. */
const WAIT_SECONDS = 2
const GIVE_BACK_SECONDS = 1
/** Long enough to receive a thousand messages. */
const LOOK_SECONDS = 60
/** A look reads no more: an operator decides by reasons, not by reading thousands of bodies. */
const MOST = 1_000

/** Receives the messages of the dead-letter queue and hides them for `seconds`. */
export async function takeDeadLetters(queues: Queues, seconds: number): Promise<Message[]> {
  const taken: Message[] = []
  const { visible, in_flight } = await depthOf(queues.sqs, queues.deadLetterUrl)
  const count = visible + in_flight
  while (taken.length < Math.min(MOST, count)) {
    const { Messages = [] } = await queues.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queues.deadLetterUrl,
        MaxNumberOfMessages: BATCH,
        WaitTimeSeconds: WAIT_SECONDS,
        VisibilityTimeout: seconds,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      }),
    )
    if (Messages.length === 0) break
    taken.push(...Messages)
  }
  return taken
}

export async function giveBack({ sqs, deadLetterUrl }: Queues, messages: readonly Message[]): Promise<void> {
  for (let start = 0; start < messages.length; start += BATCH) {
    const Entries = messages
      .slice(start, start + BATCH)
      .map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle, VisibilityTimeout: GIVE_BACK_SECONDS }))
    await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: deadLetterUrl, Entries }))
  }
}

/** The messages of the dead-letter queue. They stay there, hidden while they are read. */
export async function peekDeadLetters(queues: Queues): Promise<Message[]> {
  const messages = await takeDeadLetters(queues, LOOK_SECONDS)
  await giveBack(queues, messages)
  return messages
}

/** Sends the message to the queue again, then deletes it here: an interruption makes a duplicate at worst. */
export async function redriveDeadLetter(queues: Queues, message: Message): Promise<void> {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(
    ([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      BinaryValue ? { DataType, BinaryValue } : { DataType, StringValue },
    ],
  )
  await queues.sqs.send(
    new SendMessageCommand({
      QueueUrl: queues.queueUrl,
      MessageBody: message.Body,
      MessageAttributes: Object.fromEntries(attributes) as Message['MessageAttributes'],
      // Under its old deduplication id SQS would drop it as a repetition for five minutes.
      ...(isFifo(queues.queueUrl) && {
        MessageGroupId: message.Attributes?.MessageGroupId ?? message.MessageId,
        MessageDeduplicationId: `${message.MessageId}-${Date.now()}`,
      }),
    }),
  )
  await deleteDeadLetter(queues, message)
}

export async function deleteDeadLetter({ sqs, deadLetterUrl }: Queues, { ReceiptHandle }: Message): Promise<void> {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetterUrl, ReceiptHandle }))
}
