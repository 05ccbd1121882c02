import type { OutboxEvent } from './send.ts'

/**
 * The events in a relay's memory, and which of them may be sent: of each key only the first, and only while no other of
 * that key is on its way.
 *
 *     add ──► waiting ──(first of its key)──► ready ──take──► on its way ──► accepted ──┐
 *                                               ▲                 │  └─────► rejected ──┤ forget (settled)
 *                                               └────putBack──────┘ (not judged)        ▼
 *
 * Once an event is accepted the next of its key is ready; its id stays held until the database knows, so that no claim
 * reads it again. A rejected event stops its key; when that is settled, the rest of the key is forgotten too, and the
 * next claim reads what the database then says about it.
 */
export interface Hold {
  /** Events in memory. */
  size(): number
  add(events: readonly OutboxEvent[]): void
  /** Up to `count` ready events, no two of one key. Those that `may` forbids are forgotten. */
  take(count: number, may: (event: OutboxEvent) => boolean): OutboxEvent[]
  hasReady(): boolean
  /** Ids in memory, of one lane. */
  idsOf(lane: number): string[]
  /** The broker has it: on to the next of its key. */
  accepted(event: OutboxEvent): void
  /** The broker gave no verdict: it is the first of its key again. */
  putBack(event: OutboxEvent): void
  /** The database knows that it was accepted. */
  forget(event: OutboxEvent): void
  /** The database knows that it was rejected. */
  forgetKey(event: OutboxEvent): void
  /** Forgets whatever is not on its way or waiting for its settlement, of the lanes that `gone` names. */
  forgetWaiting(gone: (lane: number) => boolean): void
}

export function createHold(): Hold {
  /** By key, in the order of ids; the first is the one that is ready or on its way. */
  const keys = new Map<string, OutboxEvent[]>()
  const ready = new Set<OutboxEvent>()
  const held = new Map<number, Set<string>>()
  let size = 0

  function release({ lane, id }: OutboxEvent): void {
    if (held.get(lane)?.delete(id)) size--
  }

  function insert(event: OutboxEvent): void {
    const ids = held.get(event.lane) ?? new Set()
    held.set(event.lane, ids.add(event.id))
    size++
    const queue = keys.get(event.key)
    if (queue === undefined) {
      keys.set(event.key, [event])
      ready.add(event)
      return
    }
    // A redriven event comes after younger ones of its key were read: it goes before those that have not left.
    let place = queue.length
    while (place > 1 && BigInt(queue[place - 1]!.id) > BigInt(event.id)) place--
    queue.splice(place, 0, event)
  }

  function forgetKey({ key }: OutboxEvent): void {
    keys.get(key)?.forEach(release)
    keys.delete(key)
  }

  return {
    size: () => size,
    hasReady: () => ready.size > 0,
    idsOf: (lane) => [...(held.get(lane) ?? [])],
    add: (events) => events.forEach(insert),

    take(count, may) {
      const taken: OutboxEvent[] = []
      for (const event of ready) {
        if (taken.length === count) break
        ready.delete(event)
        if (may(event)) taken.push(event)
        else forgetKey(event)
      }
      return taken
    },

    accepted(event) {
      const queue = keys.get(event.key)
      queue?.shift()
      const next = queue?.[0]
      if (next) ready.add(next)
      else keys.delete(event.key)
    },

    putBack: (event) => void ready.add(event),
    forget: release,

    forgetKey,

    forgetWaiting(gone) {
      for (const [key, queue] of keys) {
        const [first] = queue
        if (first === undefined || !gone(first.lane)) continue
        const stays = ready.delete(first) ? 0 : 1
        queue.splice(stays).forEach(release)
        if (queue.length === 0) keys.delete(key)
      }
    },
  }
}
