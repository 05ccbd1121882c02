import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

/**
 * A notification is also the memory of its event: as long as it is there, the event is known and can't be notified
 * again. SQS keeps a message for at most 14 days, and for as long again when it was redriven from the dead-letter queue on its
 * last day. After this long none of its messages can come any more.
 */
export const KEPT_DAYS = 30
/** Rows deleted by one statement: some milliseconds of work, so nobody waits behind it. */
const PAGE = 1_000
/** Between passes: an hour more or less does not matter when the retention is in days. */
const PAUSE_MS = 3_600_000

/**
 * Deletes notifications that were received more than `KEPT_DAYS` ago, oldest first, a page a statement, and resolves with
 * their number. Positions follow the time of receipt, so it walks along the primary key and stops at the first that is
 * young enough: a pass costs what it deletes. The newest notification is kept, however old: a reader of the stream who
 * has seen it has missed nothing, and must be able to say so.
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
    `DELETE FROM notifications
     WHERE position IN (SELECT position FROM notifications ORDER BY position LIMIT $1)
       AND received_at < now() - make_interval(days => $2)
       AND position < (SELECT max(position) FROM notifications)`,
    [PAGE, KEPT_DAYS],
  )
  return rowCount ?? 0
}

/** Sweeps once an hour until `signal` aborts. A failed pass is simply followed by the next. */
export async function keepSweeping(
  pool: pg.Pool,
  onSwept: (notifications: number) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const swept = await sweep(pool, signal).catch(() => 0)
    if (swept > 0) onSwept(swept)
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {})
  }
}
