import { ChangeMessageVisibilityCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import { type Depth, depthOf, type Queues } from '@product-events/inbox/command'

/** How many messages are in the queue, and how many in its dead-letter queue. Rejects with the SDK's error. */
export async function readDepths({
  sqs,
  queueUrl,
  deadLetterUrl,
}: Queues): Promise<{ queue: Depth; dead_letters: Depth }> {
  const [queue, dead_letters] = await Promise.all([depthOf(sqs, queueUrl), depthOf(sqs, deadLetterUrl)])
  return { queue, dead_letters }
}

/** A look at more is for `npm run inbox`. */
export const LOOK_AT = 200
const BATCH = 10
/** Longer than the look takes; if it is cut short, the messages are visible again after it. */
const HIDE_SECONDS = 20

/** Up to 200 messages of the dead-letter queue, which are given back at once. SQS counts a receive for each. */
export async function lookAtDeadLetters({ sqs, deadLetterUrl }: Queues, signal?: AbortSignal): Promise<Message[]> {
  const { visible } = await depthOf(sqs, deadLetterUrl)
  const seen: Message[] = []
  try {
    while (seen.length < Math.min(visible, LOOK_AT) && !signal?.aborted) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: deadLetterUrl,
          MaxNumberOfMessages: BATCH,
          VisibilityTimeout: HIDE_SECONDS,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
      )
      if (Messages.length === 0) break
      seen.push(...Messages)
    }
  } finally {
    // Not 0: the embedded SQS then shows a message only after a restart.
    const back = { QueueUrl: deadLetterUrl, VisibilityTimeout: 1 }
    const commands = seen.map(({ ReceiptHandle }) => new ChangeMessageVisibilityCommand({ ...back, ReceiptHandle }))
    await Promise.allSettled(commands.map((command) => sqs.send(command)))
  }
  return seen
}
