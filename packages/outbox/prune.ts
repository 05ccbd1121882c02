import { setTimeout as sleep } from 'node:timers/promises'
import type { Tables } from './database.ts'
import type { Report } from './reports.ts'

/** Rows looked at by one statement: some milliseconds of work, so nobody waits behind it. */
const PAGE = 1_000
/** Between passes: a minute more or less does not matter when the retention is in hours. */
const PAUSE_MS = 60_000

/**
 * Deletes processed events that are older than `retentionHours`, oldest first, a page a statement, and returns how many.
 * It walks along the primary key and stops at the first page with nothing old enough to look at, so a pass costs what it
 * deletes (and the dead events it passes), not what the table holds; no index is kept for it.
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
     SELECT (SELECT max(id) FROM old) AS last, (SELECT count(*)::int FROM gone) AS pruned`,
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
}

/** Prunes once a minute until `signal` aborts. A failed pass is simply followed by the next. */
export async function keepPruning({ tables, retentionHours, report, signal, mayPrune }: PruningOptions): Promise<void> {
  while (!signal.aborted) {
    if (mayPrune()) {
      const events = await prune(tables, retentionHours, signal).catch(() => 0)
      if (events > 0) report({ kind: 'pruned', events })
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {})
  }
}
