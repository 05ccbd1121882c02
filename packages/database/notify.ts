import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

/**
 * NOTIFY takes a lock of the whole server for its commit, so a busy process sends at most this many milliseconds apart.
 */
const SHORTEST_PAUSE_MS = 5

/**
 * A function that notifies `channel` with `payload`. To be called after a commit: within the transaction it would let
 * those transactions commit one at a time. Calls while a notification is under way share the next one. A failure is not
 * reported: a listener polls as well.
 */
export function createNotifier(db: Pick<pg.Pool, 'query'>, channel: string, payload: string): () => void {
  let wanted = false
  let underWay = false

  async function send(): Promise<void> {
    underWay = true
    while (wanted) {
      wanted = false
      await notify(db, channel, payload).catch(() => {})
      await sleep(SHORTEST_PAUSE_MS)
    }
    underWay = false
  }

  return () => {
    wanted = true
    if (!underWay) void send()
  }
}

/** Nothing is stored, so nothing has to wait for a disk. */
async function notify(db: Pick<pg.Pool, 'query'>, channel: string, payload: string): Promise<void> {
  await db.query(`SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`, [channel, payload])
}
