import { GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { StartConfig } from '../config.ts'
import type { Parts } from '../parts.ts'
import type { Stage } from './faults.ts'

/** Where the faults of `npm start` are played. */
export function createStage({ ports, queueName }: StartConfig, { away }: Parts): Stage {
  const sqs = new SQSClient({
    endpoint: `http://127.0.0.1:${ports.SQS_PORT}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    useQueueUrlAsEndpoint: false,
  })
  return {
    sqs,
    productsUrl: `http://127.0.0.1:${ports.PRODUCT_SERVICE_PORT}`,
    async queueUrl() {
      const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName: queueName }))
      return QueueUrl
    },
    away: {
      sqs: (seconds, signal) => away('sqs', seconds, signal),
      postgres: (seconds, signal) => away('postgres', seconds, signal),
      'product-service': (seconds, signal) => away('product-service', seconds, signal),
    },
  }
}
