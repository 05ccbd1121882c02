import { rowsOf, type Sql } from './database.ts'
import type { RecordTarget } from './record.ts'

/**
 * SQS keeps a message for at most 14 days, and for as long again when it was redriven from the dead-letter queue on its
 * last day. After this long no message of an event can arrive any more, so the event may be forgotten.
 */
export const KEPT_DAYS = 30
/** Rows deleted by one statement: some milliseconds of work. */
const PAGE = 1_000

/**
 * Deletes records of events that were handled more than `KEPT_DAYS` ago, a page a statement. Resolves with their
 * number.
 */
export async function prune(sql: Sql, target: RecordTarget, signal?: AbortSignal): Promise<number> {
  let pruned = 0
  while (!signal?.aborted) {
    const page = await prunePage(sql, target)
    pruned += page
    if (page < PAGE) break
  }
  return pruned
}

async function prunePage(sql: Sql, target: RecordTarget): Promise<number> {
  const rows = rowsOf(
    await sql.query(
      `DELETE FROM ${target.schema}.handled_events
       WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${target.schema}.handled_events
         WHERE handled_at < now() - $1 * interval '1 day' AND consumer = $2::text
         LIMIT $3
       ))
       RETURNING 1`,
      [KEPT_DAYS, target.consumer, PAGE],
    ),
  )
  return rows.length
}
