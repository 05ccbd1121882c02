import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { deadLetterQueueName, findQueueUrl, queueNameOf } from '@product-events/queue'

/** The queue and its dead-letter queue. */
export interface Queues {
  sqs: SQSClient
  url: string
  deadLetterUrl: string
  /** A message that was received this often goes to the dead-letter queue. */
  maxReceives: number
}

export interface Depths {
  visible: number
  in_flight: number
  delayed: number
  dead_letters: number
}

/** Finds both queues and makes none. */
export async function findQueues(
  sqs: SQSClient,
  { queueName, queueUrl }: { queueName: string; queueUrl: string | undefined },
): Promise<Queues> {
  const url = queueUrl ?? (await findQueueUrl(sqs, queueName))
  if (url === undefined) throw new Error(`there is no queue ${queueName}`)
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['RedrivePolicy'] }),
  )
  const policy = JSON.parse(Attributes?.RedrivePolicy ?? '{}') as {
    deadLetterTargetArn?: string
    maxReceiveCount?: number | string
  }
  const name = policy.deadLetterTargetArn?.split(':').at(-1) ?? deadLetterQueueName(queueNameOf(url))
  const deadLetterUrl = await findQueueUrl(sqs, name)
  if (deadLetterUrl === undefined) throw new Error(`there is no dead-letter queue ${name}`)
  return { sqs, url, deadLetterUrl, maxReceives: Number(policy.maxReceiveCount ?? 5) }
}

export async function readDepths({ sqs, url, deadLetterUrl }: Queues): Promise<Depths> {
  const [queue, dead] = await Promise.all([depthOf(sqs, url), depthOf(sqs, deadLetterUrl)])
  return { ...queue, dead_letters: dead.visible + dead.in_flight + dead.delayed }
}

async function depthOf(sqs: SQSClient, url: string): Promise<Omit<Depths, 'dead_letters'>> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  )
  return {
    visible: Number(Attributes?.ApproximateNumberOfMessages ?? 0),
    in_flight: Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0),
    delayed: Number(Attributes?.ApproximateNumberOfMessagesDelayed ?? 0),
  }
}
