import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { Repository, RepositoryEncryption, TagMutability } from 'aws-cdk-lib/aws-ecr'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { deadLetterQueueName, queueNumbers } from '../names.ts'
import type { Settings } from '../settings.ts'
import { sizes } from '../sizes.ts'
import { createDatabase, type Database } from './database.ts'
import { lifetime } from './lifetime.ts'
import type { Network } from './network.ts'

/** Amazon Managed Prometheus and CloudWatch. */
export const alarmPublishers = ['aps.amazonaws.com', 'cloudwatch.amazonaws.com'] as const

export interface Data {
  key: Key
  queue: sqs.Queue
  deadLetterQueue: sqs.Queue
  database: Database
  /** RDS makes this secret, rotates it, and nothing but the setup task reads it. */
  masterSecret: ISecret
  images: Repository
}

/** Everything that holds state. The stacks above can be deleted and made again without losing any of it. */
export function createData(scope: Construct, settings: Settings, network: Network): Data {
  const size = sizes[settings.size]
  const stack = new Stack(scope, 'Data', { stackName: 'product-events-data', terminationProtection: size.kept })
  const key = new Key(stack, 'Key', {
    alias: 'alias/product-events',
    description: 'Events in the queue, the database and alarms',
    enableKeyRotation: true,
    ...lifetime(size),
  })
  // Alarms go to an encrypted topic, and both services that publish there act without a role of ours.
  for (const service of alarmPublishers)
    key.addToResourcePolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        principals: [new ServicePrincipal(service)],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    )
  const { queue, deadLetterQueue } = createQueues(stack, settings, key)
  const { database, masterSecret } = createDatabase(stack, settings, network, key)
  const images = new Repository(stack, 'Images', {
    repositoryName: 'product-events',
    imageTagMutability: TagMutability.IMMUTABLE,
    imageScanOnPush: true,
    encryption: RepositoryEncryption.AES_256,
    emptyOnDelete: !size.kept,
    // Enough to go back to any release of the last months.
    lifecycleRules: [{ maxImageCount: 50 }],
    ...lifetime(size),
  })
  return { key, queue, deadLetterQueue, database, masterSecret, images }
}

function createQueues(stack: Stack, { queueName, size }: Settings, encryptionMasterKey: Key) {
  const fifo = queueName.endsWith('.fifo')
  const both = {
    retentionPeriod: Duration.seconds(queueNumbers.retentionSeconds),
    encryption: sqs.QueueEncryption.KMS,
    encryptionMasterKey,
    // A data key an hour instead of every five minutes: KMS costs a twelfth, and an outage of KMS for minutes is no
    // outage.
    dataKeyReuse: Duration.hours(1),
    enforceSSL: true,
    removalPolicy: sizes[size].kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    ...(fifo && {
      fifo,
      deduplicationScope: sqs.DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    }),
  }
  const deadLetterQueue = new sqs.Queue(stack, 'DeadLetterQueue', {
    ...both,
    queueName: deadLetterQueueName(queueName),
  })
  const queue = new sqs.Queue(stack, 'Queue', {
    ...both,
    queueName,
    visibilityTimeout: Duration.seconds(queueNumbers.visibilityTimeoutSeconds),
    deadLetterQueue: { queue: deadLetterQueue, maxReceiveCount: queueNumbers.maxReceiveCount },
  })
  return { queue, deadLetterQueue }
}
