import { PublishBatchCommand, type SNSClient } from '@aws-sdk/client-sns'
import { sendInBatches } from './aws-batches.ts'
import type { Send } from './send.ts'

/**
 * A batch holds up to 256 KiB unless the topic's MaximumMessageSize says more: a larger event is published alone, and
 * SNS decides. https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
 */
const BATCH_BYTES = 256 * 1024

export interface SnsTarget {
  /** Must not retry by itself (`maxAttempts: 1`): the relay does, and knows for how long. */
  sns: SNSClient
  topicArn: string
}

/**
 * Publishes to an SNS topic, standard or FIFO, by PublishBatch. Each subscribed queue gets every event; failures count
 * as those of `sendToSqs` do. The order of a key needs a FIFO topic with FIFO queues.
 */
export function sendToSns({ sns, topicArn }: SnsTarget): Send {
  return sendInBatches({
    fifo: topicArn.endsWith('.fifo'),
    batchBytes: BATCH_BYTES,
    bounded: false,
    call(entries, options) {
      const PublishBatchRequestEntries = entries.map(({ MessageBody, ...entry }) => ({
        ...entry,
        Message: MessageBody,
      }))
      return sns.send(new PublishBatchCommand({ TopicArn: topicArn, PublishBatchRequestEntries }), options)
    },
    refreshCredentials: () => sns.config.credentials({ forceRefresh: true }),
  })
}
