/** What the SDK alone can do: loops that receive and delete, and do nothing in between. */
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { MAX_RECEIVERS } from '@product-events/inbox'
import { readOrder, stopwatch } from './peer.ts'

const { sqsEndpoint, queueUrl: QueueUrl, messages } = readOrder()
const sqs = new SQSClient({ endpoint: sqsEndpoint, region: 'us-east-1', useQueueUrlAsEndpoint: false })
const watch = stopwatch(messages)

async function loop(): Promise<never> {
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 3,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      }),
    )
    if (Messages.length === 0) continue
    watch.received()
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    const { Successful = [] } = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
    watch.handled(Successful.length)
  }
}

await Promise.all(Array.from({ length: MAX_RECEIVERS }, loop))
