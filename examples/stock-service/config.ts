/** What stock-service takes from its environment; the AWS SDK reads AWS_REGION and the rest of its own variables. */
export function readStockConfig(env: NodeJS.ProcessEnv) {
  const { DATABASE_URL, SQS_QUEUE_URL } = env
  if (!DATABASE_URL) throw new Error('DATABASE_URL is missing: postgres://user:password@host:5432/stock')
  if (!SQS_QUEUE_URL) throw new Error('SQS_QUEUE_URL is missing: the queue of this service, with a dead-letter queue')
  return { databaseUrl: DATABASE_URL, queueUrl: SQS_QUEUE_URL }
}
