import { Readable } from 'node:stream'
import type pg from 'pg'
import type { Feed } from './feed.ts'
import { type Filter, passes } from './filter.ts'
import { type Place, type Placed, readOn } from './read-on.ts'

/** Rows of one read while a reader catches up. */
const PAGE = 100
/** Bytes that may wait for a reader: some seconds of a busy day. One that is further behind is cut off. */
export const MOST_WAITING_BYTES = 1024 * 1024

export interface FollowOptions {
  pool: pg.Pool
  feed: Feed
  filter: Filter
  /** The stream begins behind this place. */
  after: Place
  /** The first text of the stream. */
  opening: string
  /** Bounds how many readers read the table at once. */
  inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>
  /** The reader lets more wait than `MOST_WAITING_BYTES`. */
  onTooSlow: () => void
}

export interface Followed {
  /** Server-sent events. */
  stream: Readable
  /** Says that the stream is alive, and moves the reader's place on past notifications that its filter hides. */
  heartbeat(): void
  /** Ends the stream in order, after the block that it is sending. */
  end(): void
}

const HEARTBEAT = Buffer.from(': heartbeat\n\n')

/**
 * Every notification behind a place, without a gap and without a repeat: first from the table, and live from the moment
 * at which none is left there. Reads the table only as fast as the reader reads the stream.
 */
export function follow({ pool, feed, filter, after, opening, inTurn, onTooSlow }: FollowOptions): Followed {
  let place = after
  let demand = Promise.withResolvers<void>()
  let stopListening: (() => void) | undefined
  let ended = false
  const stream = new Readable({
    read: () => demand.resolve(),
    destroy(error, done) {
      ended = true
      stopListening?.()
      demand.resolve()
      done(error)
    },
  })

  function end(): void {
    if (ended) return
    ended = true
    stopListening?.()
    stream.push(null)
    demand.resolve()
  }

  async function catchUp(): Promise<void> {
    while (!ended && place.position < feed.newest().position) {
      const until = feed.newest()
      const page = await inTurn(() => readOn(pool, filter, { after: place, until: until.position, limit: PAGE }))
      if (page === undefined) return end()
      const last = page.placed.at(-1)
      place = page.more && last ? last : until
      if (!ended && last && !stream.push(blocksOf(page.placed))) await drained()
    }
    // Nothing happens between the last comparison and this: the feed moves on in one go.
    if (!ended) stopListening = feed.listen(takeLive)
  }

  function drained(): Promise<void> {
    demand = Promise.withResolvers()
    return demand.promise
  }

  function takeLive(fresh: readonly Placed[]): void {
    // Another instance, which was ahead, may have sent this reader some already.
    const own = fresh.filter((one) => one.position > place.position && passes(one.notification, filter))
    for (const { block } of own) stream.push(block)
    if (stream.readableLength <= MOST_WAITING_BYTES) return
    onTooSlow()
    stream.destroy()
  }

  stream.push(opening)
  catchUp().catch(end)
  return {
    stream,
    end,
    heartbeat() {
      // While the reader is behind, its own notifications show that the stream is alive.
      if (ended || stopListening === undefined || stream.readableLength > 0) return
      const newest = feed.newest()
      if (newest.position > place.position) stream.push(`: heartbeat\nid: ${newest.id}\n\n`)
      else stream.push(HEARTBEAT)
    },
  }
}

function blocksOf(placed: readonly Placed[]): Buffer {
  return Buffer.concat(placed.map(({ block }) => block))
}
