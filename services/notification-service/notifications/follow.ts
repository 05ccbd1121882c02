import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Feed } from './feed.ts'
import { type Filter, passes } from './filter.ts'
import { type Place, type Placed, readOn } from './read-on.ts'

/** Rows of one read while a reader catches up. */
const PAGE = 100
/** What may wait for a reader, in notifications: some seconds of a busy day. One that is further behind is cut off. */
export const MOST_WAITING = 500

/**
 * What a reader is told next:
 * - `notifications`: some, oldest first;
 * - `quiet`: nothing came for `quietMs`. It has seen everything up to `place`.
 */
export type Told = { kind: 'notifications'; placed: Placed[] } | { kind: 'quiet'; place: Place }

export interface FollowOptions {
  pool: pg.Pool
  feed: Feed
  filter: Filter
  /** Told everything behind this place. */
  after: Place
  quietMs: number
  /** Aborts when the reader is gone, or has to go. */
  signal: AbortSignal
  /** It lets more wait than `MOST_WAITING`. */
  onTooSlow: () => void
}

/**
 * Everything behind a place, without a gap and without a repeat, until `signal` aborts: first from the table, and from
 * the moment at which nothing is left there, live. Asks the table for more only when the reader asks for more.
 */
export async function* follow(options: FollowOptions): AsyncGenerator<Told, void> {
  const { pool, feed, filter, signal } = options
  let { position } = options.after
  while (position < feed.newest().position && !signal.aborted) {
    const until = feed.newest().position
    const placed = await readOn(pool, filter, { after: position, until, limit: PAGE })
    position = placed.length < PAGE ? until : (placed.at(-1)?.position ?? until)
    if (placed.length > 0) yield { kind: 'notifications', placed }
  }
  // Nothing happens between the last comparison and this: the feed moves on in one go.
  yield* live({ ...options, position })
}

interface LiveOptions extends FollowOptions {
  position: bigint
}

async function* live({
  feed,
  filter,
  after,
  position,
  quietMs,
  signal,
  onTooSlow,
}: LiveOptions): AsyncGenerator<Told, void> {
  let waiting: Placed[] = []
  let wake = new AbortController()
  const stopListening = feed.listen((fresh) => {
    // Another instance may have told this reader of some already.
    waiting.push(...fresh.filter((one) => one.position > position && passes(one.notification, filter)))
    if (waiting.length > MOST_WAITING) onTooSlow()
    if (waiting.length > 0) wake.abort()
  })
  try {
    while (!signal.aborted) {
      if (waiting.length === 0) {
        wake = new AbortController()
        const either = AbortSignal.any([signal, wake.signal])
        await sleep(quietMs, undefined, { signal: either }).catch(() => {})
        if (signal.aborted) return
      }
      const placed = waiting
      waiting = []
      const newest = feed.newest()
      if (placed.length > 0) yield { kind: 'notifications', placed }
      else yield { kind: 'quiet', place: newest.position > after.position ? newest : after }
    }
  } finally {
    stopListening()
  }
}
