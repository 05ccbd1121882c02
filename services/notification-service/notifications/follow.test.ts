import { randomUUIDv7 } from 'node:crypto'
import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Feed } from './feed.ts'
import { follow } from './follow.ts'
import type { Placed } from './read-on.ts'
import type { Notification } from './schemas.ts'

const at = (position: bigint): Placed => ({
  position,
  id: randomUUIDv7(),
  notification: {} as Notification,
  block: Buffer.from(`${position};`),
})

/** A feed whose newest place is at 5. */
function feedAtFive() {
  let listener: ((fresh: readonly Placed[]) => void) | undefined
  const newest = at(5n)
  const feed: Feed = {
    newest: () => newest,
    listen(other) {
      listener = other
      return () => (listener = undefined)
    },
    setBack: new AbortController().signal,
    leave() {},
  }
  return { feed, send: (...fresh: Placed[]) => listener?.(fresh), isHeard: () => listener !== undefined }
}

function start(feed: Feed, after: Placed, onTooSlow = () => {}) {
  // The table is not asked for anything: it is behind the reader.
  const pool = {} as pg.Pool
  return follow({ pool, feed, filter: {}, after, opening: 'start;', inTurn: (work) => work(), onTooSlow })
}

test('a reader from an instance that was ahead gets nothing again, and its place is not moved back', async () => {
  const { feed, send } = feedAtFive()
  const { stream, heartbeat, end } = start(feed, at(7n))
  expect(String(stream.read())).toBe('start;')
  heartbeat()
  expect(String(stream.read())).toBe(': heartbeat\n\n')
  send(at(6n), at(7n), at(8n))
  expect(String(stream.read())).toBe('8;')
  end()
  expect(await stream.toArray()).toEqual([])
})

test('a reader that lets too much wait is cut off once, and hears no more', () => {
  const { feed, send, isHeard } = feedAtFive()
  let cutOff = 0
  const { stream } = start(feed, at(5n), () => cutOff++)
  const large = { ...at(6n), block: Buffer.alloc(600 * 1024) }
  send(large)
  expect(cutOff).toBe(0)
  send(large, large)
  expect([cutOff, stream.destroyed, isHeard()]).toEqual([1, true, false])
})
