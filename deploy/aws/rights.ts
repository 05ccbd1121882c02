/**
 * The calls of SQS that each program makes, and of which queue: `deploy/aws` grants exactly these, and
 * `e2e/least-rights.e2e.test.ts` runs each program behind an SQS that denies all others. docs/operations.md lists them.
 */
export interface Rights {
  queue: readonly string[]
  deadLetterQueue: readonly string[]
  /** A queue encrypted by KMS: reading needs Decrypt, and sending needs a data key as well. */
  key: readonly string[]
}

const read = ['kms:Decrypt'] as const
const write = ['kms:Decrypt', 'kms:GenerateDataKey'] as const

const relay: Rights = {
  queue: ['sqs:GetQueueAttributes', 'sqs:SendMessage'],
  deadLetterQueue: [],
  key: write,
}

const consoleRights: Rights = {
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
}

/** For a program that has `SQS_QUEUE_URL`. */
export const rights = {
  'product-service': relay,
  /** With `OUTBOX_RELAY=off` no call is made. */
  'product-service without a relay': { queue: [], deadLetterQueue: [], key: [] },
  relay,
  'notification-service': {
    queue: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
    // For the gauge of its depth: the name comes from the queue's redrive policy.
    deadLetterQueue: ['sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
    key: read,
  },
  console: consoleRights,
  /** `find`, `status`, `inbox` and `outbox`: those of the console, and `inbox -- purge`. */
  commands: { ...consoleRights, deadLetterQueue: [...consoleRights.deadLetterQueue, 'sqs:PurgeQueue'] },
} as const satisfies Record<string, Rights>

/**
 * What a program needs besides when `SQS_QUEUE_NAME` names a queue: to find it, and to make it when it does not exist.
 */
export const rightsByName = {
  finds: { queue: ['sqs:GetQueueUrl'], deadLetterQueue: [], key: [] },
  makes: {
    queue: ['sqs:CreateQueue', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
    deadLetterQueue: ['sqs:CreateQueue', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
    key: [],
  },
} as const satisfies Record<string, Rights>
