import { setTimeout as sleep } from 'node:timers/promises'

/**
 * NOTIFY takes a lock of the whole server for its commit, so a busy process sends at most this many milliseconds apart.
 */
const SHORTEST_PAUSE_MS = 5
/** After a failure (a full queue of notifications, a revoked right) the next try would most likely fail too. */
const PAUSE_AFTER_FAILURE_MS = 1_000

/** Sends a statement in a transaction of its own: a `pg` pool, or anything with its `query`. */
export interface Notifies {
  query(text: string, values: unknown[]): Promise<unknown>
}

/**
 * A function that notifies `channel` with `payload`. To be called after a commit: within the transaction it would let
 * those transactions commit one at a time. Calls while a notification is under way share the next one. A failure is not
 * reported: a listener polls as well.
 */
export function createNotifier(db: Notifies, channel: string, payload: string): () => void {
  let wanted = false
  let underWay = false

  async function send(): Promise<void> {
    underWay = true
    while (wanted) {
      wanted = false
      const sent = await notify(db, channel, payload).then(
        () => true,
        () => false,
      )
      await sleep(sent ? SHORTEST_PAUSE_MS : PAUSE_AFTER_FAILURE_MS, undefined, { ref: false })
    }
    underWay = false
  }

  return () => {
    wanted = true
    if (!underWay) void send()
  }
}

/** One notification, at once. Nothing is stored, so nothing waits for a disk. Rejects with the database's error. */
export async function notify(db: Notifies, channel: string, payload: string): Promise<void> {
  await db.query(`SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`, [channel, payload])
}

/**
 * A function that notifies `channel` of a probe, for `keepListening`. Rejects with the database's error. It also asks
 * how full the queue of notifications is: once that was full, only this makes PostgreSQL remove what all have read.
 */
export function createProbe(db: Notifies, channel: string): (payload: string) => Promise<unknown> {
  const text = `SELECT pg_notification_queue_usage(), set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`
  return (payload) => db.query(text, [channel, payload])
}
