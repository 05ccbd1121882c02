import { createNotifier, type Notifies } from '@product-events/wake-ups'
import { randomUUID } from 'node:crypto'
import { channelOf } from './listen.ts'

/** Sends `NOTIFY` in a transaction of its own: a `pg` pool, or anything with its `query(text, values)`. */
export interface Wakes {
  query(text: string, values: unknown[]): Promise<unknown>
}

/** A relay of this process, as `wake` sees it. */
export interface LocalRelay {
  /** There is something new: read again. */
  nudge(): void
  /** Whether no other relay may read any event now. */
  readsAll(): boolean
}

/** Announces commits: to the relays of this process in memory, and to others, if there are any, by a NOTIFY. */
export interface WakeUps {
  wake(db: Wakes): void
  /**
   * Adds a relay of this process that works on `db`. Returns how to end that, and the payload of its own process's
   * NOTIFY.
   */
  join(db: Wakes, relay: LocalRelay): { leave: () => void; own: string }
}

export function createWakeUps(schema: string | undefined): WakeUps {
  const ways = new WeakMap<Wakes, Way>()

  function wayOf(db: Wakes): Way {
    const known = ways.get(db)
    if (known) return known
    const own = randomUUID()
    const way: Way = { own, relays: new Set(), notify: createNotifier(db satisfies Notifies, channelOf(schema), own) }
    ways.set(db, way)
    return way
  }

  return {
    wake(db) {
      const { relays, notify } = wayOf(db)
      let readsAll = false
      for (const relay of relays) {
        relay.nudge()
        readsAll ||= relay.readsAll()
      }
      if (!readsAll) notify()
    },
    join(db, relay) {
      const { relays, own } = wayOf(db)
      relays.add(relay)
      return { own, leave: () => void relays.delete(relay) }
    },
  }
}

interface Way {
  /** A listener of this process ignores it: its relay is nudged in memory. */
  own: string
  relays: Set<LocalRelay>
  notify: () => void
}
