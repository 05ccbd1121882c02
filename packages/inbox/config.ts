/** The database of the consumer, for the command `inbox`. */
export function readDatabaseConfig({ DATABASE_URL }: NodeJS.ProcessEnv): { databaseUrl: string } {
  if (!DATABASE_URL) throw new Error('DATABASE_URL is missing: the database of the consumer, where its inbox is')
  return { databaseUrl: DATABASE_URL }
}

/** The environment of the command `inbox`; the AWS SDK reads its own variables. */
export function readCommandConfig(env: NodeJS.ProcessEnv): { databaseUrl: string; queueUrl: string } {
  const { databaseUrl } = readDatabaseConfig(env)
  const { SQS_QUEUE_URL } = env
  if (!SQS_QUEUE_URL) throw new Error('SQS_QUEUE_URL is missing: the queue of the consumer')
  return { databaseUrl, queueUrl: SQS_QUEUE_URL }
}
