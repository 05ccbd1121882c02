import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** Receives until there are `count` messages, or none comes within five seconds. */
export async function receiveAll({ sqs, url }: { sqs: SQSClient; url: string }, count: number): Promise<Message[]> {
  const messages: Message[] = []
  while (messages.length < count) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 5,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['All'],
      }),
    )
    if (Messages.length === 0) break
    messages.push(...Messages)
  }
  return messages
}
