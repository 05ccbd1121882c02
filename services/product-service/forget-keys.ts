import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

/** Deleted by one statement: some milliseconds of work, so nobody waits behind it. */
const BATCH = 1_000
/** Between passes: a key that lives some minutes longer than a day harms nobody. */
const PAUSE_MS = 60_000

/** Forgets up to a thousand idempotency keys that are more than 24 hours old, oldest first. Returns how many. */
export async function forgetKeysOnce(db: pg.Pool): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM idempotency_keys WHERE (caller, key) IN (
       SELECT caller, key FROM idempotency_keys WHERE created_at < now() - interval '24 hours'
       ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
     )`,
    [BATCH],
  )
  return rowCount ?? 0
}

/** Does so once a minute, until `opened` is disposed of. A pass that failed is simply followed by the next. */
export function startForgettingKeys(db: pg.Pool, opened: AsyncDisposableStack): void {
  const stop = new AbortController()
  const running = keepForgettingKeys(db, stop.signal)
  opened.defer(async () => {
    stop.abort()
    await running
  })
}

async function keepForgettingKeys(db: pg.Pool, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const forgotten = await forgetKeysOnce(db).catch(() => 0)
    if (forgotten < BATCH) await sleep(PAUSE_MS, undefined, { signal }).catch(() => {})
  }
}
