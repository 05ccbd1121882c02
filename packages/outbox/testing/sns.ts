import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { freshQueue } from '@product-events/local'
import { SEND_TIMEOUT_MS } from '../send.ts'

/** A topic with a queue for each of `deliveries`; with `raw` a queue gets the published message without a wrapper. */
export async function freshTopic(endpoint: string, deliveries: ('raw' | 'wrapped')[], { fifo = false } = {}) {
  const queues = await Promise.all(deliveries.map(() => freshQueue(endpoint, { fifo })))
  const sns = snsClient(endpoint)
  const Name = `${queues[0]?.queue.name.replace(/\.fifo$/, '')}-topic${fifo ? '.fifo' : ''}`
  const Attributes = fifo ? { FifoTopic: 'true' } : {}
  const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name, Attributes }))
  for (const [index, { sqs, queue }] of queues.entries()) {
    const attributes = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['QueueArn'] }),
    )
    await sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: 'sqs',
        Endpoint: attributes.Attributes?.QueueArn,
        Attributes: { RawMessageDelivery: String(deliveries[index] === 'raw') },
      }),
    )
  }
  return {
    sns,
    topicArn: TopicArn,
    queues,
    close() {
      sns.destroy()
      for (const { sqs } of queues) sqs.destroy()
    },
  }
}

/** After `freshQueue` the environment has credentials. */
export function snsClient(endpoint: string): SNSClient {
  return new SNSClient({
    endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    requestHandler: { requestTimeout: SEND_TIMEOUT_MS },
  })
}
