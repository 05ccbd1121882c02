import {
  connectSqs,
  findOrCreateQueue,
  findQueueAt,
  isTemporary,
  makeAgainWhenGone,
  type Queue,
} from '@product-events/queue'
import type { Service } from './open-service.ts'
import { waitUntilUp } from './wait-until-up.ts'

export interface QueueConfig {
  /** Made with its dead-letter queue unless it exists. */
  queueName: string
  /** Must exist; then the name says nothing. */
  queueUrl: string | undefined
  awsRegion: string
  sqsEndpoint: string | undefined
}

export interface FoundQueue {
  sqs: ReturnType<typeof connectSqs>
  queue: Queue
}

/** Connects to SQS and waits until the queue is found, or made where `SQS_QUEUE_NAME` names it. */
export async function openQueue(
  { opened, readiness, log, stopping }: Service,
  { queueName, queueUrl, awsRegion, sqsEndpoint }: QueueConfig,
  limits: { requestTimeoutMs: number; maxConnections: number },
): Promise<FoundQueue> {
  const sqs = connectSqs({ endpoint: sqsEndpoint, region: awsRegion, ...limits })
  opened.defer(() => sqs.destroy())
  const watch = queueUrl === undefined ? makeAgainWhenGone(sqs, queueName, () => log.queueMade(queueName)) : undefined
  const queue = await waitUntilUp(() => (queueUrl ? findQueueAt(sqs, queueUrl) : findOrCreateQueue(sqs, queueName)), {
    what: `the queue ${queueUrl ?? queueName} at ${sqsEndpoint ?? `AWS (${awsRegion})`}`,
    onWaiting: log.waiting,
    isTemporary,
    signal: stopping,
  })
  watch?.begin()
  readiness.found('queue')
  return { sqs, queue }
}
