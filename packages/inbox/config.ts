/** What the command `inbox` takes from its environment; the AWS SDK reads its own variables. */
export function readCommandConfig(env: NodeJS.ProcessEnv): { databaseUrl: string; queueUrl: string } {
  const { DATABASE_URL, SQS_QUEUE_URL } = env
  if (!DATABASE_URL) throw new Error('DATABASE_URL is missing: the database of the consumer, where its inbox is')
  if (!SQS_QUEUE_URL) throw new Error('SQS_QUEUE_URL is missing: the queue of the consumer')
  return { databaseUrl: DATABASE_URL, queueUrl: SQS_QUEUE_URL }
}
