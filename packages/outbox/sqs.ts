import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { sendInBatches } from './aws-batches.ts'
import type { Send } from './send.ts'
import { MAX_BYTES } from './sqs-entry.ts'

export interface SqsTarget {
  /** Must not retry by itself (`maxAttempts: 1`): the relay does, and knows for how long. */
  sqs: SQSClient
  queueUrl: string
  /**
   * True: the client ends each of its calls within `SEND_TIMEOUT_MS` by itself, to the last byte of the answer. Then
   * none needs an `abortSignal`, for which the SDK sorts its middleware again: a tenth of the cost of a call.
   */
  bounded?: boolean
}

/** Sends to an SQS queue, standard or FIFO, by SendMessageBatch. */
export function sendToSqs({ sqs, queueUrl, bounded = false }: SqsTarget): Send {
  return sendInBatches({
    fifo: queueUrl.endsWith('.fifo'),
    batchBytes: MAX_BYTES,
    bounded,
    call: (Entries, options) => sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }), options),
    refreshCredentials: () => sqs.config.credentials({ forceRefresh: true }),
  })
}
