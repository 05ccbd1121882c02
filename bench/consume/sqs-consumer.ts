/** sqs-consumer in its batch mode, which stores each batch as ours does: parse, one statement, delete. */
import type { Message, SQSClient } from '@aws-sdk/client-sqs'
import { parseBody } from '@product-events/contracts'
import { connect } from '@product-events/database'
import { connectSqs } from '@product-events/queue'
import { notificationOf } from '../../services/notification-service/notifications/notification.ts'
import { storeNotifications } from '../../services/notification-service/notifications/store.ts'
import { readOrder, SQS_CONSUMER, stopwatch } from './peer.ts'

/** What we use of it: the type checker runs without the peers. */
interface SqsConsumer {
  Consumer: {
    create(options: {
      queueUrl: string
      sqs: SQSClient
      batchSize: number
      waitTimeSeconds: number
      messageAttributeNames: string[]
      handleMessageBatch: (messages: Message[]) => Promise<Message[]>
    }): { on(event: 'message_processed', listener: () => void): void; start(): void }
  }
}

const { sqsEndpoint, queueUrl, databaseUrl, messages } = readOrder()
const { Consumer } = (await import(SQS_CONSUMER)) as SqsConsumer
const pool = connect({ databaseUrl, applicationName: 'sqs-consumer', maxConnections: 4, onIdleError: () => {} })
const watch = stopwatch(messages)

const consumer = Consumer.create({
  queueUrl,
  sqs: connectSqs({ endpoint: sqsEndpoint, region: 'us-east-1', requestTimeoutMs: 30_000, maxConnections: 32 }),
  batchSize: 10,
  waitTimeSeconds: 3,
  messageAttributeNames: ['All'],
  async handleMessageBatch(batch) {
    watch.received()
    await storeNotifications(
      pool,
      batch.map(({ Body }) => {
        const parsed = parseBody(Body ?? '')
        if (parsed.kind !== 'event') throw new Error(`${parsed.kind}: ${parsed.reason}`)
        return notificationOf(parsed.event)
      }),
    )
    return batch
  },
})
// After its deletion.
consumer.on('message_processed', () => watch.handled(1))
consumer.start()
