export { connectSqs, type SqsOptions } from './connect.ts'
export {
  deadLetterQueueName,
  findOrCreateQueue,
  findQueueAt,
  findQueueUrl,
  isFifo,
  MAX_RECEIVE_COUNT,
  type Queue,
  queueNameOf,
  VISIBILITY_TIMEOUT_SECONDS,
} from './find-or-create.ts'
export { isTemporary } from './is-temporary.ts'
export { makeAgainWhenGone } from './make-again.ts'
