import type pg from 'pg'
import type { Missing } from 'telemetry'

/** Whoever asks for health gives up after a second or so; the answer must be there before. */
const DATABASE_TIMEOUT_MS = 800

/** What the start and the stop of the process know of its health. */
export interface ProcessState {
  queueFound: boolean
  /** Whether the relay's last sends arrived there. */
  queueTakesEvents: boolean
  stopping: AbortSignal
}

/**
 * What this process lacks to do its job. An SQS that is away later on is no reason to send nobody here: products are
 * kept and their events wait.
 */
export async function missingParts(
  pool: pg.Pool,
  { queueFound, stopping }: Pick<ProcessState, 'queueFound' | 'stopping'>,
): Promise<Missing> {
  if (stopping.aborted) return { process: 'is shutting down' }
  const missing: Missing = {}
  const ping: pg.QueryConfig & { query_timeout: number } = { text: 'SELECT 1', query_timeout: DATABASE_TIMEOUT_MS }
  await pool.query(ping).catch((error: Error) => (missing.database = `can't be reached: ${error.message}`))
  if (!queueFound) missing.queue = 'not found yet'
  return missing
}
