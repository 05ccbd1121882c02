import type pg from 'pg'
import type { Missing } from 'telemetry'

/** How far the start has come, and what the running parts say of themselves. `main` keeps it up to date. */
export interface Progress {
  /** Set once the migrations are done. */
  pool: pg.Pool | undefined
  /** Set once the queue is found: why SQS does not answer, undefined when it does. */
  sqs: (() => string | undefined) | undefined
  stopping: boolean
}

/** Health checks give up after seconds: an answer that takes longer is no answer. */
const CHECK_TIMEOUT_MS = 1_000

/** What this process lacks to do its job, by part. */
export async function missingParts({ pool, sqs, stopping }: Progress): Promise<Missing> {
  const missing: Missing = {}
  if (stopping) missing.process = 'shutting down'
  const database = pool ? await databaseFault(pool) : 'not reached and migrated yet'
  if (database !== undefined) missing.database = database
  const queue = sqs ? sqs() : 'not found yet'
  if (queue !== undefined) missing.queue = queue
  return missing
}

async function databaseFault(pool: pg.Pool): Promise<string | undefined> {
  const check: pg.QueryConfig & { query_timeout: number } = {
    text: 'SELECT FROM notifications LIMIT 1',
    query_timeout: CHECK_TIMEOUT_MS,
  }
  try {
    await pool.query(check)
    return undefined
  } catch (error) {
    return (error as Error).message || (error as { code?: string }).code || 'does not answer'
  }
}
