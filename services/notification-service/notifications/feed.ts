import { setTimeout as sleep } from 'node:timers/promises'
import type { OutageWatch } from '@product-events/outages'
import type pg from 'pg'
import { newestPlace, type Place, type Placed, readOn } from './read-on.ts'

/** How often the table is asked for what any instance stored: five times a second is no load, and no wait either. */
const POLL_MS = 200
/** Rows of one read. A full one is followed by the next at once. */
const PAGE = 500
/** Until a database that failed is asked again. */
const RETRY_MS = 1_000

type Listener = (fresh: readonly Placed[]) => void

/** A look at the notifications as they come, whichever instance of the service stored them. */
export interface Feed {
  /** The newest that this process has read, while somebody is here. What comes after it will be told to listeners. */
  newest(): Place
  /** Told of everything new from now on, in order, until the function that it returns is called. */
  listen(listener: Listener): () => void
}

export interface FeedSource {
  /** Somebody comes: the first one makes it read, the last one that leaves lets it rest. Rejects if the database is away. */
  enter(): Promise<Feed>
  leave(): void
}

/**
 * One reader for all streams of a process, and only while there are any. It polls, rather than being notified: `NOTIFY` in
 * the transaction that stores would let these commit one at a time across the whole server, and one after it can be lost.
 */
export function createFeed(pool: pg.Pool, reachable: OutageWatch): FeedSource {
  let guests = 0
  let reading: Promise<{ feed: Feed; stop: () => void }> | undefined

  function leave(): void {
    guests -= 1
    if (guests > 0) return
    // One that could not start needs no stop.
    reading?.then(({ stop }) => stop()).catch(() => {})
    reading = undefined
  }

  return {
    async enter() {
      guests += 1
      reading ??= startReading(pool, reachable)
      try {
        return (await reading).feed
      } catch (error) {
        reading = undefined
        leave()
        throw error
      }
    },
    leave,
  }
}

async function startReading(pool: pg.Pool, reachable: OutageWatch): Promise<{ feed: Feed; stop: () => void }> {
  const listeners = new Set<Listener>()
  const stopping = new AbortController()
  const { signal } = stopping
  let newest = await newestPlace(pool)

  async function poll(): Promise<void> {
    while (!signal.aborted) {
      const pause = await readPage().catch((error: Error) => {
        reachable.failed(error.message)
        return RETRY_MS
      })
      if (pause > 0) await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }

  /** Resolves with how long to wait before the next, in milliseconds. */
  async function readPage(): Promise<number> {
    const fresh = await readOn(pool, {}, { after: newest.position, limit: PAGE })
    reachable.worked()
    const last = fresh.at(-1)
    if (last) {
      // At once, for whoever compares its own place with the newest: no listener misses one or gets it twice.
      newest = { position: last.position, id: last.id }
      for (const listener of listeners) listener(fresh)
    }
    return fresh.length === PAGE ? 0 : POLL_MS
  }

  void poll()
  return {
    stop: () => stopping.abort(),
    feed: {
      newest: () => newest,
      listen(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
  }
}
