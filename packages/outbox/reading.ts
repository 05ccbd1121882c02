import { claimDue, claimPending, type LaneToRead, MAX_BYTES, mendDueTimes } from './claim.ts'
import type { Tables } from './database.ts'
import type { DrainCounts } from './drain.ts'
import type { Hold } from './hold.ts'
import type { Lease } from './lease.ts'
import type { OutboxEvent } from './send.ts'
import { readApart, readPage } from './read-page.ts'
import { type Rejection, rejection } from './settle.ts'

/**
 * Events in memory at most, whatever the backlog: a page that is being sent, one that is settled, and one that is read.
 */
const MAX_HELD = 6_000
/** Two pages of the largest events: far below the memory of a process, even with the copies that are being sent. */
const MAX_HELD_BYTES = 2 * MAX_BYTES
/** Events read at once, about: the statement's own cost is spread over them, and it takes some ten milliseconds. */
const PAGE = 2_000
/**
 * The first page, one after an outage, and one after a claim that failed: the size of the events is not known yet.
 */
const FIRST_PAGE = 256
/** With fewer than this ready to be sent the next page is read, so that sending never waits for reading. */
const LOW_WATER = 1_000
/** A nudge says that there are new events, not that old ones became due: those are looked for this often at most. */
const LOOK_FOR_DUE_MS = 500
/** A clock that is set back is rare, and the search reads all failed events of the relay's lanes. */
const LOOK_FOR_LATE_DUE_MS = 5_000

export interface ReadingOptions {
  tables: Tables
  lease: Pick<Lease, 'readable'>
  hold: Hold
  /** Called with events that no broker can be handed: they are dead at once. */
  onBroken: (rejections: Rejection[]) => void
}

export interface Reading {
  /** True when there is room in memory. */
  isRoom(): boolean
  /** True when there may be pending events that the last claim did not bring. */
  isMore(): boolean
  isDueTime(): boolean
  pending(counts: DrainCounts): Promise<void>
  due(counts: DrainCounts): Promise<void>
  /** There may be more to read: of a key that has room again, of new lanes, or of everything. */
  again(): void
  /** Failed events may be due now. */
  lookForDue(): void
  /** The same, and their due times are mended first, which writes. */
  lookForLateDue(): void
  /** The database has marked the event. */
  settled(event: OutboxEvent, as: 'accepted' | 'rejected'): void
  /** The broker has an outage: events in memory would grow old, and an operator may change their rows meanwhile. */
  startOver(): void
}

export function createReading({ tables, lease, hold, onBroken }: ReadingOptions): Reading {
  const page = createPageSize()
  let more = true
  /** Failed events that are in memory: while the database calls them failed, it blocks the rest of their keys. Weak, so
   * that what `hold` forgets with its lane is forgotten here too. */
  const due = new WeakSet<OutboxEvent>()
  /** A claim failed, perhaps since a row takes PostgreSQL longer than a statement may. Claims read apart until one of
   * them finds no such row: each would cost the time of a statement again. */
  let apart = false
  let lookedForDueAt = -Infinity
  let mendedAt = -Infinity

  /** Reads a page into memory. Returns its events, and whether there may be more where they were. */
  async function read(claim: typeof claimPending): Promise<{ events: OutboxEvent[]; full: boolean }> {
    const lanes = lease.readable()
    if (lanes.length === 0) return { events: [], full: false }
    const perLane = Math.ceil(Math.min(page.take(), MAX_HELD - hold.size()) / lanes.length)
    const toRead = lanes.map((lane) => laneToRead(hold, lane))
    const readNext = apart ? readApart : readPage
    apart = true
    const { events, broken, bytes } = await readNext(tables, claim, toRead, perLane)
    apart = broken.length > 0
    page.brought(bytes)
    hold.add(events)
    for (const { event } of broken) hold.reserve(event)
    onBroken(broken.map(({ event, reason }) => rejection(event, { kind: 'unacceptable', reason })))
    return { events, full: isFull([...events, ...broken.map(({ event }) => event)], perLane) || bytes >= MAX_BYTES }
  }

  return {
    isRoom: () => hold.size() < MAX_HELD && hold.bytes() < MAX_HELD_BYTES && hold.ready() < LOW_WATER,
    isMore: () => more,
    isDueTime: () => performance.now() - lookedForDueAt > LOOK_FOR_DUE_MS,

    async pending(counts) {
      more = false
      const { events, full } = await read(claimPending)
      counts.claimed += events.length
      more ||= full
    },

    async due(counts) {
      if (performance.now() - mendedAt > LOOK_FOR_LATE_DUE_MS) {
        await mendDueTimes(tables, lease.readable())
        mendedAt = performance.now()
      }
      const { events, full } = await read(claimDue)
      for (const event of events) due.add(event)
      counts.claimed += events.length
      lookedForDueAt = full ? -Infinity : performance.now()
    },

    again: () => void (more = true),
    lookForDue: () => void (lookedForDueAt = -Infinity),
    lookForLateDue: () => void (lookedForDueAt = mendedAt = -Infinity),

    settled(event, as) {
      // The rest of a key that had failed can be read now, and so can the state of a key that has just failed.
      if (due.delete(event) || as === 'rejected') more = true
    },

    startOver() {
      hold.forgetWaiting(() => true)
      page.startOver()
      more = true
      lookedForDueAt = -Infinity
    },
  }
}

/** Events of the next page: twice as many as before, half after one that failed or was heavy. */
function createPageSize() {
  let next = FIRST_PAGE
  let taken = FIRST_PAGE
  return {
    /** Until `brought` the page counts as failed: a statement that takes too long is smaller the next time. */
    take(): number {
      taken = next
      next = Math.max(1, taken >> 1)
      return taken
    },
    brought(bytes: number): void {
      next = bytes >= MAX_BYTES / 2 ? Math.max(1, taken >> 1) : Math.min(PAGE, taken * 2)
    },
    startOver: () => void (next = FIRST_PAGE),
  }
}

function laneToRead(hold: Hold, lane: number): LaneToRead {
  const events = hold.eventsOf(lane)
  return {
    lane,
    held: events.map(({ id }) => id),
    heldEvents: events.map(({ eventId }) => eventId),
    full: hold.fullKeysOf(lane),
  }
}

/** Whether some lane gave as many events as it was asked for. */
function isFull(events: readonly OutboxEvent[], perLane: number): boolean {
  const counts = new Map<number, number>()
  for (const { lane } of events) counts.set(lane, (counts.get(lane) ?? 0) + 1)
  return [...counts.values()].some((count) => count >= perLane)
}
