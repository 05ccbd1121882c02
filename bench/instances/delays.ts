import { PurgeQueueCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Created } from '../http/at-rate.ts'
import { query } from '../server.ts'

/**
 * Milliseconds from the commit of each product to the acceptance of its event by SQS: by PostgreSQL's record of commits
 * (`track_commit_timestamp`) and by the time that SQS gave the message, in whole milliseconds. Sorted. Empties the
 * queue.
 */
export async function commitToAccepted(
  created: readonly Created[],
  { databaseUrl, sqs, queueUrl }: { databaseUrl: string; sqs: SQSClient; queueUrl: string },
): Promise<number[]> {
  const accepted = await acceptanceTimes(created.length, sqs, queueUrl)
  const rows = await query<{ id: string; ms: number }>(
    databaseUrl,
    `SELECT id::text, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS ms
     FROM products WHERE id = ANY ($1::uuid[])`,
    [created.map(({ id }) => id)],
  )
  await sqs.send(new PurgeQueueCommand({ QueueUrl: queueUrl }))
  return rows.map(({ id, ms }) => Math.max(0, (accepted.get(id) ?? NaN) - ms)).toSorted((a, b) => a - b)
}

/** Receives until so many products are there. Messages stay hidden, so each comes once. */
async function acceptanceTimes(count: number, sqs: SQSClient, queueUrl: string): Promise<Map<string, number>> {
  const times = new Map<string, number>()
  const receive = {
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 10,
    WaitTimeSeconds: 1,
    VisibilityTimeout: 600,
    MessageSystemAttributeNames: ['SentTimestamp' as const],
  }
  while (times.size < count) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive))
    for (const { Body = '', Attributes } of Messages) {
      const { subject } = JSON.parse(Body) as { subject: string }
      times.set(subject, Number(Attributes?.SentTimestamp))
    }
  }
  return times
}
