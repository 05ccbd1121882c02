import type pg from 'pg'
import type { Missing } from 'telemetry'

/** Whoever asks for health gives up after a second or so; the answer must be there before. */
const DATABASE_TIMEOUT_MS = 800

/** What the start and the stop of the process know of its health. */
export interface ProcessState {
  queueFound: boolean
  stopping: AbortSignal
}

/**
 * What this process lacks to do its job. An SQS that is away later on is no reason to send nobody here: what was stored
 * can still be read, and receiving resumes by itself.
 */
export async function missingParts(pool: pg.Pool, { queueFound, stopping }: ProcessState): Promise<Missing> {
  if (stopping.aborted) return { process: 'is shutting down' }
  const missing: Missing = {}
  // The table itself: a database without the migrations is of no use either.
  const check: pg.QueryConfig & { query_timeout: number } = {
    text: 'SELECT FROM notifications LIMIT 1',
    query_timeout: DATABASE_TIMEOUT_MS,
  }
  await pool.query(check).catch((error: Error) => (missing.database = `can't be used: ${reasonOf(error)}`))
  if (!queueFound) missing.queue = 'not found yet'
  return missing
}

/** A connection tried at several addresses fails with an error whose own message is empty. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message || (error.code ?? error.name)
}
