import { createOutageWatch, repeat } from '@product-events/outages'
import type { Tables } from './database.ts'
import type { Report } from './reports.ts'

/** Rows looked at by one statement: some milliseconds of work, so nothing waits behind it. */
const PAGE = 1_000
/** Between passes: a minute more or less does not matter when the retention is in hours. */
const PAUSE_MS = 60_000
/** A lock or a restart is over by then: a second failure in a row is worth a line. */
const RETRY_MS = 5_000

/**
 * Deletes processed events that are older than `retentionHours`, oldest first, a page a statement, and returns how
 * many. It walks along the primary key and stops at the first page with nothing old enough to look at, so a pass costs
 * the rows that it deletes (and the dead events it passes), not the size of the table, and it needs no index.
 */
export async function prune(tables: Tables, retentionHours: number, signal?: AbortSignal): Promise<number> {
  let pruned = 0
  let after = '0'
  while (!signal?.aborted) {
    const page = await prunePage(tables, after, retentionHours)
    pruned += page.pruned
    if (page.last === null) break
    after = page.last
  }
  return pruned
}

/** One page of the walk. `last` is null when the walk is over: the page had no event from before the cutoff. */
async function prunePage(
  { db, schema }: Tables,
  after: string,
  retentionHours: number,
): Promise<{ last: string | null; pruned: number }> {
  const { rows } = await db.query<{ last: string | null; pruned: number }>(
    `WITH page AS (
       SELECT id, status, created_at, processed_at FROM ${schema}.events WHERE id > $1 ORDER BY id LIMIT $2
     ), old AS (
       SELECT id, status, processed_at, clock_timestamp() - $3 * interval '1 hour' AS cutoff FROM page
       WHERE created_at < clock_timestamp() - $3 * interval '1 hour'
     ), gone AS (
       DELETE FROM ${schema}.events WHERE id IN (SELECT id FROM old WHERE status = 'processed' AND processed_at < cutoff)
       RETURNING id
     )
     SELECT (SELECT max(id)::text FROM old) AS last, (SELECT count(*)::int FROM gone) AS pruned`,
    [after, PAGE, retentionHours],
  )
  return rows[0] ?? { last: null, pruned: 0 }
}

export interface PruningOptions {
  tables: Tables
  retentionHours: number
  report: Report
  signal: AbortSignal
  /** One relay of many is enough. */
  mayPrune: () => boolean
  /** True while the database as a whole is unreachable, which the relay reports. */
  isDatabaseAway: () => boolean
  /** Milliseconds between passes, and after one that failed. */
  pauseMs?: number
  retryMs?: number
}

/**
 * Prunes once a minute until `signal` aborts. Passes that fail are reported once, and once more when they succeed
 * again.
 */
export async function keepPruning(options: PruningOptions): Promise<void> {
  const { tables, retentionHours, report, signal, mayPrune, isDatabaseAway } = options
  const { pauseMs = PAUSE_MS, retryMs = RETRY_MS } = options
  let failures = 0
  const watch = createOutageWatch({
    lost: (reason) => report({ kind: 'pruning-failed', reason }),
    back: (awayMs) => report({ kind: 'pruning-resumed', awayMs }),
  })
  await repeat({
    async pass() {
      if (!mayPrune()) return retryMs
      report({ kind: 'pruned', events: await prune(tables, retentionHours, signal), at: Date.now() })
      failures = 0
      watch.worked()
      return pauseMs
    },
    retryMs,
    onFailed(error) {
      if (!isDatabaseAway() && ++failures > 1) watch.failed((error as Error).message)
    },
    signal,
  })
}
