import { setTimeout as sleep } from 'node:timers/promises'
import type { Tables } from './database.ts'

/** Events set to pending by one statement: some milliseconds of work, so no relay waits behind it. */
const PAGE = 1_000
/** With a rate, this many portions a second at most: smaller ones would spread no better and cost more. */
const PORTIONS_A_SECOND = 10

export interface ProgressOptions {
  /** Who did it, for the record. */
  by: string
  /** Events a second at most; undefined: as fast as it goes. */
  rate?: number | undefined
  /** Stops between two portions. */
  signal: AbortSignal
  /** Called after each portion with the ids of its events. */
  onProgress: (ids: string[]) => void
}

/**
 * Sets dead events to pending, with all their attempts before them: a relay sends them after its next poll. They keep
 * their ids, and with these their place before younger events of their keys that have not been sent yet. Ids that are
 * not dead (any more) are left alone: an event is not redriven twice. Rejects when the database can't be reached; what
 * was redriven by then stays so.
 */
export async function redrive(tables: Tables, ids: readonly string[], options: ProgressOptions): Promise<void> {
  await setPending(tables, 'dead', ids, options)
}

/** Which processed events are sent again: those with these ids, or those processed at that time or later. */
export type Resent = { ids: readonly string[] } | { since: Date }

/**
 * Sets processed events to pending: their messages were lost after the broker accepted them. Otherwise like `redrive`.
 * Consumers drop those that they know by their event ids.
 */
export async function resend(tables: Tables, which: Resent, options: ProgressOptions): Promise<void> {
  if ('ids' in which) return setPending(tables, 'processed', which.ids, options)
  for (let after: string | undefined = '0'; after !== undefined && !options.signal.aborted;) {
    const page: { ids: string[]; last: string | undefined } = await processedSince(tables, which.since, after)
    await setPending(tables, 'processed', page.ids, options)
    after = page.last
  }
}

async function setPending(
  tables: Tables,
  from: 'dead' | 'processed',
  ids: readonly string[],
  { by, rate, signal, onProgress }: ProgressOptions,
): Promise<void> {
  const portion = rate === undefined ? PAGE : Math.min(PAGE, Math.max(1, Math.round(rate / PORTIONS_A_SECOND)))
  const pauseMs = rate === undefined ? 0 : (portion / rate) * 1_000
  const start = performance.now()
  for (let done = 0; done < ids.length && !signal.aborted; done += portion) {
    const waitMs = start + (done / portion) * pauseMs - performance.now()
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {})
    if (!signal.aborted) onProgress(await setPortionPending(tables, from, ids.slice(done, done + portion), by))
  }
}

async function setPortionPending(
  { db, schema }: Tables,
  from: 'dead' | 'processed',
  ids: string[],
  by: string,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `UPDATE ${schema}.events
     SET status = 'pending', attempts = 0, next_attempt_at = NULL, processed_at = NULL,
         redriven_count = redriven_count + 1, redriven_at = clock_timestamp(), redriven_by = $2
     WHERE id = ANY ($1::bigint[]) AND status = $3
     RETURNING id::text`,
    [ids, by, from],
  )
  return rows.map(({ id }) => id)
}

/** One page of a walk along the primary key. `last` is undefined when the walk is over. */
export async function processedSince(
  { db, schema }: Tables,
  since: Date,
  after: string,
): Promise<{ ids: string[]; last: string | undefined }> {
  const { rows } = await db.query<{ id: string; wanted: boolean }>(
    `SELECT id::text, status = 'processed' AND processed_at >= $2::timestamptz AS wanted
     FROM ${schema}.events AS event
     WHERE id > $1
     ORDER BY event.id
     LIMIT $3`,
    [after, since.toISOString(), PAGE],
  )
  return { ids: rows.filter(({ wanted }) => wanted).map(({ id }) => id), last: rows.at(-1)?.id }
}

/**
 * For each of the events that had to let younger ones of its key go first: how many of these are processed (and not
 * pruned yet). It reads the table from the oldest of `ids` on, since no index knows the keys of processed events.
 */
export async function overtakenBy({ db, schema }: Tables, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ id: string; younger: number }>(
    `SELECT id::text, younger
     FROM (
       SELECT id, (count(*) FILTER (WHERE status = 'processed') OVER (PARTITION BY key ORDER BY id DESC))::int AS younger
       FROM ${schema}.events
       WHERE id >= (SELECT min(id) FROM unnest($1::bigint[]) AS id)
         AND key IN (SELECT key FROM ${schema}.events WHERE id = ANY ($1::bigint[]))
     ) AS of_their_keys
     WHERE id = ANY ($1::bigint[]) AND younger > 0`,
    [ids],
  )
  return new Map(rows.map(({ id, younger }) => [id, younger]))
}
