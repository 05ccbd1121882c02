import { randomUUIDv7 } from 'node:crypto'
import type pg from 'pg'
import { expect, test } from 'vitest'
import type { Feed } from './feed.ts'
import { follow } from './follow.ts'
import type { Placed } from './read-on.ts'
import type { Notification } from './schemas.ts'

const at = (position: bigint): Placed => ({ position, id: randomUUIDv7(), notification: {} as Notification })

test('a reader that comes from an instance that was ahead is not told again what it has seen, nor moved back', async () => {
  let tell: (fresh: readonly Placed[]) => void = () => {}
  const feed: Feed = {
    newest: () => at(5n),
    listen(listener) {
      tell = listener
      return () => {}
    },
  }
  const stop = new AbortController()
  const after = at(7n)
  // Nothing is asked of the table: it is behind the reader.
  const pool = {} as pg.Pool
  const told = follow({ pool, feed, filter: {}, after, quietMs: 1, signal: stop.signal, onTooSlow: () => {} })
  expect((await told.next()).value).toEqual({ kind: 'quiet', place: after })
  const fresh = [at(6n), at(7n), at(8n)]
  const next = told.next()
  tell(fresh)
  expect((await next).value).toEqual({ kind: 'notifications', placed: fresh.slice(2) })
  stop.abort()
  expect((await told.next()).done).toBe(true)
})
