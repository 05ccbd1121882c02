import { createOutageWatch, repeat } from '@product-events/outages'
import type pg from 'pg'
import type { LogLines } from './log-lines.ts'

/** The name of the job in `retention_last_success_timestamp_seconds`. */
export const FORGET_KEYS = 'idempotency-keys'
/** Deleted by one statement: some milliseconds of work, so no request waits behind it. */
const BATCH = 1_000
/** Between passes: a key that lives some minutes longer than a day harms no caller. */
const PAUSE_MS = 60_000

/** Forgets up to a thousand idempotency keys that are more than 24 hours old, oldest first. Returns how many. */
export async function forgetKeysOnce(db: pg.Pool): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM public.idempotency_keys WHERE (caller, key) IN (
       SELECT caller, key FROM public.idempotency_keys WHERE created_at < now() - interval '24 hours'
       ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
     )`,
    [BATCH],
  )
  return rowCount ?? 0
}

export interface ForgettingOptions {
  log: Pick<LogLines, 'forgettingFails' | 'forgettingWorks'>
  /** Called after each pass that succeeded. */
  succeeded: () => void
  stopping: AbortSignal
}

/** Does so once a minute. A failure is reported when it begins and when it is over. Resolves once `stopping` aborts. */
export function keepForgettingKeys(db: pg.Pool, { log, succeeded, stopping }: ForgettingOptions): Promise<void> {
  const watch = createOutageWatch({ lost: log.forgettingFails, back: log.forgettingWorks })
  return repeat({
    async pass() {
      const forgotten = await forgetKeysOnce(db)
      watch.worked()
      succeeded()
      return forgotten < BATCH ? PAUSE_MS : 0
    },
    retryMs: PAUSE_MS,
    onFailed: (error) => watch.failed((error as Error).message),
    signal: stopping,
  })
}
