import type { Program } from './names.ts'

/** The calls of SQS that each program makes, and of which queue. A program has these rights and no others. */
export interface Rights {
  queue: readonly string[]
  deadLetterQueue: readonly string[]
  /** A queue encrypted by KMS: reading needs Decrypt, and sending needs a data key as well. */
  key: readonly string[]
}

const read = ['kms:Decrypt'] as const
const write = ['kms:Decrypt', 'kms:GenerateDataKey'] as const

export const rights: Record<Program, Rights> = {
  'product-service': {
    queue: ['sqs:GetQueueAttributes', 'sqs:SendMessage'],
    deadLetterQueue: [],
    key: write,
  },
  relay: {
    queue: ['sqs:GetQueueAttributes', 'sqs:SendMessage'],
    deadLetterQueue: [],
    key: write,
  },
  'notification-service': {
    queue: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    // For the gauge of its depth: the name comes from the queue's redrive policy.
    deadLetterQueue: ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
    key: read,
  },
  console: {
    // A redrive receives from the dead-letter queue, sends to the queue, and only then deletes.
    queue: ['sqs:GetQueueAttributes', 'sqs:SendMessage'],
    deadLetterQueue: [
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
    ],
    key: write,
  },
}
