/** What the shop takes from its environment; the AWS SDK reads its own variables. */
export function readShopConfig({ DATABASE_URL, SQS_QUEUE_URL, PORT }: NodeJS.ProcessEnv) {
  if (!DATABASE_URL || !SQS_QUEUE_URL) throw new Error('DATABASE_URL and SQS_QUEUE_URL are required')
  return { databaseUrl: DATABASE_URL, queueUrl: SQS_QUEUE_URL, port: Number(PORT ?? 3000) }
}
