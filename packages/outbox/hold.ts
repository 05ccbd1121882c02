import type { OutboxEvent } from './send.ts'

/** Events of one key in memory at most. One of them is in flight at a time, so more would only crowd out other keys. */
const KEY_EVENTS = 32
/** The same in bytes of payload: large events of a few keys must not fill the memory either. */
const KEY_BYTES = 1024 * 1024

/**
 * The events in a relay's memory, and which of them may be sent: of each key only the first, and only while no other of
 * that key is in flight.
 *
 *     add ──► waiting ──(first of its key)──► ready ──take──► in flight ──► accepted ──┐
 *                                               ▲                 │  └─────► rejected ──┤ forget (settled)
 *                                               └────putBack──────┘ (not judged)        ▼
 *
 * Once an event is accepted the next of its key is ready; the event stays held until the database knows, so that no
 * claim reads it again. A rejected event stops its key; when that is settled, the rest of the key is forgotten too, and
 * the next claim reads its state from the database.
 */
export interface Hold {
  /** Events in memory. */
  size(): number
  /** Characters of their payloads. */
  bytes(): number
  /** Events that may be sent now. */
  ready(): number
  /** Adds events that are not held yet. */
  add(events: readonly OutboxEvent[]): void
  /** Keeps claims from reading the event again; it is never ready. */
  reserve(event: OutboxEvent): void
  /** Up to `count` ready events, no two of one key or one id. Those that `may` forbids are forgotten. */
  take(count: number, may: (event: OutboxEvent) => boolean): OutboxEvent[]
  /** The events of one lane in memory. */
  eventsOf(lane: number): OutboxEvent[]
  /** Keys of one lane of which no more should be read now. */
  fullKeysOf(lane: number): string[]
  /** The broker has it: the next of its key is ready. True when the key has room for more events again. */
  accepted(event: OutboxEvent): boolean
  /** The broker gave no verdict: the event is the first of its key again. */
  putBack(event: OutboxEvent): void
  /** The database knows that it was accepted. */
  forget(event: OutboxEvent): void
  /** The database knows that it was rejected: forgets it, and the rest of its key if it was the first. */
  forgetKey(event: OutboxEvent): void
  /** Forgets every event that is neither in flight nor waiting for its settlement, of the lanes that `gone` names. */
  forgetWaiting(gone: (lane: number) => boolean): void
}

/** Events of one key, in the order of ids; the first is the one that is ready or in flight. */
interface KeyQueue {
  lane: number
  events: OutboxEvent[]
  bytes: number
}

export function createHold(): Hold {
  const keys = new Map<string, KeyQueue>()
  const ready = new Set<OutboxEvent>()
  const full = new Set<string>()
  const held = createHeldEvents()

  function forgetKey(event: OutboxEvent): void {
    const { events } = keys.get(event.key) ?? { events: [] }
    if (events[0] !== event) return held.delete(event)
    for (const event of events) {
      ready.delete(event)
      held.delete(event)
    }
    keys.delete(event.key)
    full.delete(event.key)
  }

  return {
    size: held.size,
    bytes: held.bytes,
    ready: () => ready.size,
    eventsOf: held.eventsOf,
    fullKeysOf: (lane) => [...full].filter((key) => keys.get(key)?.lane === lane),

    add(events) {
      for (const event of events) {
        if (!held.add(event)) continue
        if (!keys.has(event.key)) ready.add(event)
        const { events, bytes } = insert(keys, event)
        if (events.length >= KEY_EVENTS || bytes >= KEY_BYTES) full.add(event.key)
      }
    },

    reserve: (event) => void held.add(event),

    take(count, may) {
      const { taken, forbidden } = choose(ready, count, may)
      for (const event of taken) ready.delete(event)
      forbidden.forEach(forgetKey)
      return taken
    },

    accepted(event) {
      const queue = keys.get(event.key)
      if (queue === undefined) return false
      queue.events.shift()
      queue.bytes -= event.payload.length
      const [next] = queue.events
      if (next) ready.add(next)
      else keys.delete(event.key)
      return queue.events.length <= KEY_EVENTS / 2 && queue.bytes <= KEY_BYTES / 2 && full.delete(event.key)
    },

    putBack: (event) => void ready.add(event),
    forget: held.delete,
    forgetKey,

    forgetWaiting(gone) {
      for (const [key, queue] of keys) {
        const [first] = queue.events
        if (first === undefined || !gone(queue.lane)) continue
        const stays = ready.delete(first) ? 0 : 1
        queue.events.splice(stays).forEach(held.delete)
        full.delete(key)
        if (queue.events.length === 0) keys.delete(key)
        else queue.bytes = first.payload.length
      }
    },
  }
}

function insert(keys: Map<string, KeyQueue>, event: OutboxEvent): KeyQueue {
  const queue = keys.get(event.key) ?? { lane: event.lane, events: [], bytes: 0 }
  keys.set(event.key, queue)
  // A redriven event comes after younger ones of its key were read: it goes before those that have not left.
  let place = queue.events.length
  while (place > 1 && BigInt(queue.events[place - 1]!.id) > BigInt(event.id)) place--
  queue.events.splice(place, 0, event)
  queue.bytes += event.payload.length
  return queue
}

/** Up to `count` of the events that may be sent, no two with one number: a broker's answer names them by it. */
function choose(events: Iterable<OutboxEvent>, count: number, may: (event: OutboxEvent) => boolean) {
  const taken = new Map<string, OutboxEvent>()
  const forbidden: OutboxEvent[] = []
  for (const event of events) {
    if (taken.size === count) break
    if (!may(event)) forbidden.push(event)
    else if (!taken.has(event.id)) taken.set(event.id, event)
  }
  return { taken: [...taken.values()], forbidden }
}

/**
 * The identity of an event: after a failover a new one may have the number of an old one, and writers choose event
 * ids.
 */
export function identityOf({ id, eventId }: OutboxEvent): string {
  return `${id} ${eventId}`
}

/** Which events are in memory. */
function createHeldEvents() {
  const lanes = new Map<number, Map<string, OutboxEvent>>()
  let size = 0
  let bytes = 0
  return {
    size: () => size,
    bytes: () => bytes,
    eventsOf: (lane: number) => [...(lanes.get(lane)?.values() ?? [])],
    /** False when it is there already. */
    add(event: OutboxEvent): boolean {
      const events = lanes.get(event.lane) ?? new Map<string, OutboxEvent>()
      if (events.has(identityOf(event))) return false
      lanes.set(event.lane, events.set(identityOf(event), event))
      size++
      bytes += event.payload.length
      return true
    },
    delete(event: OutboxEvent): void {
      if (!lanes.get(event.lane)?.delete(identityOf(event))) return
      size--
      bytes -= event.payload.length
    },
  }
}
