export { connectSqs, type SqsOptions } from './connect.ts'
export {
  deadLetterQueueName,
  findOrCreateQueue,
  findQueueUrl,
  isFifo,
  MAX_RECEIVE_COUNT,
  type Queue,
  VISIBILITY_TIMEOUT_SECONDS,
} from './find-or-create.ts'
