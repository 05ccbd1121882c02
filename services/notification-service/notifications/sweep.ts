import { createOutageWatch, repeat } from '@product-events/outages'
import type pg from 'pg'
import type { LogLines } from '../log-lines.ts'

/** The name of the job in `retention_last_success_timestamp_seconds`. */
export const SWEEP = 'notifications'
/**
 * A notification is also the memory of its event: as long as it is there, the event is a duplicate and is not notified
 * again. SQS keeps a message for at most 14 days, and for as long again when it was redriven from the dead-letter queue
 * on its last day. After this long none of its messages can arrive any more.
 */
export const KEPT_DAYS = 30
/** Rows deleted by one statement: some milliseconds of work, so no other statement waits behind it. */
const PAGE = 1_000
/** Between passes: an hour more or less does not matter when the retention is in days. */
const PAUSE_MS = 3_600_000
/** After a pass that failed: a lock or a restart is over by then. */
const RETRY_MS = 60_000

/**
 * Deletes notifications that were received more than `KEPT_DAYS` ago, oldest first, a page a statement, and resolves
 * with their number. Positions follow the time of receipt, so it walks along the primary key and stops at the first
 * that is young enough: a pass costs what it deletes. The newest notification is kept, however old: a reader of the
 * stream that has seen it has missed nothing, and must be able to say so.
 */
export async function sweep(pool: pg.Pool, signal?: AbortSignal): Promise<number> {
  let swept = 0
  while (!signal?.aborted) {
    const page = await sweepPage(pool)
    swept += page
    if (page < PAGE) break
  }
  return swept
}

async function sweepPage(pool: pg.Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM public.notifications
     WHERE position IN (SELECT position FROM public.notifications ORDER BY position LIMIT $1)
       AND received_at < now() - make_interval(days => $2)
       AND position < (SELECT max(position) FROM public.notifications)`,
    [PAGE, KEPT_DAYS],
  )
  return rowCount ?? 0
}

export interface SweepingOptions {
  log: Pick<LogLines, 'swept' | 'sweepFails' | 'sweepWorks'>
  /** Called after each pass that succeeded. */
  succeeded: () => void
  stopping: AbortSignal
  retryMs?: number
}

/** Sweeps once an hour. A failure is reported when it begins and when it is over. Resolves once `stopping` aborts. */
export function keepSweeping(pool: pg.Pool, options: SweepingOptions): Promise<void> {
  const { log, succeeded, stopping, retryMs = RETRY_MS } = options
  const watch = createOutageWatch({ lost: log.sweepFails, back: log.sweepWorks })
  return repeat({
    async pass(signal) {
      const swept = await sweep(pool, signal)
      watch.worked()
      succeeded()
      if (swept > 0) log.swept(swept)
      return PAUSE_MS
    },
    retryMs,
    onFailed: (error) => watch.failed((error as Error).message),
    signal: stopping,
  })
}
