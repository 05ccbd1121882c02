import type { OutageWatch } from '@product-events/outages'
import type pg from 'pg'
import { newestPlace, type Place, type Placed, readOn } from './read-on.ts'
import type { WakeUps } from './wake-ups.ts'
import { createWakeableRest } from './wakeable-rest.ts'

/** While wake-ups arrive, the poll only makes certain, and notices a database that was set back. */
const POLL_MS = 2_000
/** Without them: soon while notifications come, and five times a second otherwise, which costs little. */
const BUSY_POLL_MS = 25
const IDLE_POLL_MS = 200
const BUSY_FOR_MS = 2_000
/** Rows of one read. A full one is followed by the next at once. */
const PAGE = 500
/** Until a database that failed is asked again. */
const RETRY_MS = 1_000

type Listener = (fresh: readonly Placed[]) => void

/** The notifications as they come, whichever instance of the service stored them. */
export interface Feed {
  /** The newest that this process has read. Later ones go to the listeners. */
  newest(): Place
  /** Passes on every new notification from now on, in order, until the returned function is called. */
  listen(listener: Listener): () => void
  /** Aborts when the database was set back to an earlier state: the places of all readers mean nothing in it. */
  setBack: AbortSignal
  /** The reader is gone. The feed rests without readers. */
  leave(): void
}

/** A feed for one more reader; the first one makes it read. Rejects when the database can't be read. */
export type EnterFeed = () => Promise<Feed>

export interface FeedOptions {
  pool: pg.Pool
  reachable: OutageWatch
  /** Without them the feed polls. */
  wakeUps?: WakeUps | undefined
}

/** One reader of the table for all streams of a process, and only while there are streams. */
export function createFeed(options: FeedOptions): EnterFeed {
  let current: { reading: Promise<Reading>; readers: number } | undefined

  function begin(): { reading: Promise<Reading>; readers: number } {
    const begun = { reading: startReading(options, () => forget(begun)), readers: 0 }
    return begun
  }

  /** The next reader begins a new reading. */
  function forget(entry: typeof current): void {
    if (current === entry) current = undefined
  }

  return async () => {
    const entered = (current ??= begin())
    entered.readers += 1
    const leave = () => {
      entered.readers -= 1
      if (entered.readers > 0) return
      forget(entered)
      // One that could not start needs no stop.
      entered.reading.then(({ stop }) => stop()).catch(() => {})
    }
    try {
      return { ...(await entered.reading), leave }
    } catch (error) {
      forget(entered)
      leave()
      throw error
    }
  }
}

interface Reading extends Omit<Feed, 'leave'> {
  stop(): void
}

async function startReading({ pool, reachable, wakeUps }: FeedOptions, onSetBack: () => void): Promise<Reading> {
  const listeners = new Set<Listener>()
  const stopping = new AbortController()
  const setBack = new AbortController()
  const { signal } = stopping
  let newest = await newestPlace(pool)
  let busyUntil = -Infinity
  const rest = createWakeableRest(signal)
  const stopWakeUps = wakeUps?.onStored(() => rest.wake())
  signal.addEventListener('abort', () => stopWakeUps?.())

  async function keepReading(): Promise<void> {
    while (!signal.aborted) {
      rest.forgetWakeUps()
      const pauseMs = await readPage().catch((error: Error) => {
        reachable.failed(error.message)
        return RETRY_MS
      })
      await rest.begin(pauseMs)
    }
  }

  /** Resolves with the milliseconds until the next read. */
  async function readPage(): Promise<number> {
    const page = await readOn(pool, {}, { after: newest, limit: PAGE })
    reachable.worked()
    if (page === undefined) {
      stopping.abort()
      onSetBack()
      setBack.abort()
      return 0
    }
    const last = page.placed.at(-1)
    if (last) {
      // In one go, for a reader that compares its own place with the newest: no listener misses one or gets it twice.
      newest = { position: last.position, id: last.id }
      for (const listener of listeners) listener(page.placed)
      busyUntil = performance.now() + BUSY_FOR_MS
    }
    if (page.more) return 0
    if (wakeUps?.works()) return POLL_MS
    return performance.now() < busyUntil ? BUSY_POLL_MS : IDLE_POLL_MS
  }

  void keepReading()
  return {
    newest: () => newest,
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    setBack: setBack.signal,
    stop: () => stopping.abort(),
  }
}
