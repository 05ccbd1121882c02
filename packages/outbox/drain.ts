import type { Bell } from './bell.ts'
import { claimDue, claimPending, type LaneToRead, MAX_BYTES } from './claim.ts'
import type { Tables } from './database.ts'
import type { Hold } from './hold.ts'
import { LANES } from './lanes.ts'
import type { Lease } from './lease.ts'
import type { Report } from './reports.ts'
import { type OutboxEvent, type Outcome, type Send, SEND_TIMEOUT_MS } from './send.ts'
import { type Rejection, rejection, type Retries, settleAccepted, settleRejected } from './settle.ts'

/** Events in memory at most, whatever the backlog: a page that is being sent, one that is settled, and one that is read. */
const MAX_HELD = 6_000
/** Events read at once, about: the statement's own cost is spread over them, and it takes some ten milliseconds. */
const PAGE = 2_000
/** With fewer than this still to be sent the next page is read, so that sending never waits for reading. */
const LOW_WATER = 1_000
/** While sends are under way, what was accepted is settled this often, or when there is as much as this: a statement for
 * each batch of ten would cost the database more than the events themselves. A crash makes duplicates of what is not
 * settled, so the pause is short. */
const SETTLE_EVERY_MS = 10
const SETTLE_AT = 500
/** A nudge tells of new events, not of old ones that became due: those are looked for this often at most. */
const LOOK_FOR_DUE_MS = 500
/** A cycle claims no more once it has claimed this many: it is bounded, so that its caller gets to look around. */
const MAX_CYCLE = 50_000

export interface DrainCounts {
  claimed: number
  published: number
  failed: number
  dead: number
  /** Why the cycle ended early: the broker gave no verdict. */
  outage?: string
}

export interface DrainOptions {
  tables: Tables
  send: Send
  lease: Lease
  hold: Hold
  bell: Bell
  report: Report
  /** Events handed to one `send`. */
  batchSize: number
  /** Sends under way at once. */
  inFlight: number
  retries: Retries
}

export interface Drain {
  drainOnce(stopping: () => boolean): Promise<DrainCounts>
  /** Renews the lease and hands lanes over. `drainOnce` does so by itself; while it rests, somebody else must. */
  balance(): Promise<void>
  /** Resolves when no send is under way: only then may the lanes be given back. */
  sendsEnded(): Promise<void>
  /** There is something new: read again. */
  nudge(): void
}

/**
 * One bounded cycle: reads what is due, sends it, settles what the broker said, until nothing is left, or the broker is
 * away, or `stopping` says so. Sends overlap with everything; of the database's work only settling what was accepted
 * overlaps with reading, which is what keeps "read" and "settled" in an order that can be reasoned about.
 *
 * What can't be settled because the database is away stays in memory, and the next cycle settles it first.
 */
export function createDrain(options: DrainOptions): Drain {
  const { tables, send, lease, hold, bell, report, batchSize, inFlight, retries } = options
  /** What the broker said and the database does not know yet. */
  const accepted: OutboxEvent[] = []
  const rejected: Rejection[] = []
  let sending = 0
  let outage: string | undefined
  /** After an outage one batch goes first; every accepted one doubles what may follow. */
  let window = inFlight
  let nudged = false
  /** Failed events that are in memory: while the database calls them failed, it holds the rest of their keys back. Weak, so
   * that what `hold` forgets with its lane is forgotten here too. */
  const due = new WeakSet<OutboxEvent>()
  let lookedForDueAt = -Infinity
  let settledAt = -Infinity
  /** Whether there may be pending events that the last claim did not bring. */
  let more = true
  /** Whether this cycle may start sends: neither is the broker away nor the process about to stop. */
  let mayStart: () => boolean = () => outage === undefined

  async function sendBatch(batch: OutboxEvent[]): Promise<void> {
    sending++
    const { outcomes, outage: reason } = await send(batch).catch((error: Error) => ({
      outcomes: new Map<string, Outcome>(),
      outage: error.message,
    }))
    sending--
    const published: OutboxEvent[] = []
    for (const event of batch) {
      const outcome = outcomes.get(event.id)
      if (outcome === undefined) hold.putBack(event)
      else if (outcome.kind === 'accepted') published.push(event)
      else rejected.push(rejection(event, outcome, retries))
    }
    published.forEach(hold.accepted)
    accepted.push(...published)
    if (published.length > 0) report({ kind: 'published', events: published, at: Date.now() })
    window = reason === undefined ? Math.min(inFlight, window * 2) : 1
    outage ??= reason ?? (outcomes.size < batch.length ? 'the broker left events without a verdict' : undefined)
    bell.ring()
    // At once, not when the loop comes round: what is sent while the database settles is settled together next.
    startSends()
  }

  function startSends(): void {
    while (sending < window && mayStart() && hold.hasReady()) {
      const batch = hold.take(batchSize, (event) => lease.maySend(event.lane))
      if (batch.length > 0) void sendBatch(batch)
    }
  }

  /** Milliseconds until what was accepted should be settled. */
  function settleInMs(): number {
    if (sending === 0 || accepted.length >= SETTLE_AT) return 0
    return Math.max(0, settledAt + SETTLE_EVERY_MS - performance.now())
  }

  async function settleAcceptedEvents(counts: DrainCounts): Promise<void> {
    const batch = accepted.slice()
    if (batch.length === 0 || settleInMs() > 0) return
    settledAt = performance.now()
    await settleAccepted(
      tables,
      batch.map(({ id }) => id),
    )
    accepted.splice(0, batch.length)
    batch.forEach(hold.forget)
    // Now the rest of a key that had failed can be read.
    for (const event of batch) more = due.delete(event) || more
    counts.published += batch.length
  }

  async function settleRejectedEvents(counts: DrainCounts): Promise<void> {
    const batch = rejected.slice()
    if (batch.length === 0) return
    await settleRejected(tables, batch)
    rejected.splice(0, batch.length)
    for (const { event, status, attempts, reason, delayMs } of batch) {
      hold.forgetKey(event)
      due.delete(event)
      more = true
      counts[status]++
      if (status === 'dead') report({ kind: 'dead', event, reason })
      else report({ kind: attempts === event.attempts ? 'postponed' : 'failed', event, reason, delayMs })
    }
  }

  /** Reads a page into memory. Returns how many events it brought, and whether there may be more where they were. */
  async function read(claim: typeof claimPending): Promise<{ events: OutboxEvent[]; full: boolean }> {
    const lanes = lease.readable()
    if (lanes.length === 0) return { events: [], full: false }
    const perLane = Math.ceil(Math.min(PAGE, MAX_HELD - hold.size()) / lanes.length)
    const toRead: LaneToRead[] = lanes.map((lane) => ({ lane, held: hold.idsOf(lane) }))
    const events = await claim(tables, toRead, perLane)
    hold.add(events)
    const bytes = events.reduce((sum, { payload }) => sum + payload.length, 0)
    return { events, full: events.length >= perLane || bytes >= MAX_BYTES }
  }

  async function readPending(counts: DrainCounts): Promise<void> {
    nudged = more = false
    const { events, full } = await read(claimPending)
    counts.claimed += events.length
    more ||= full
  }

  async function readDue(counts: DrainCounts): Promise<void> {
    const { events, full } = await read(claimDue)
    for (const event of events) due.add(event)
    counts.claimed += events.length
    lookedForDueAt = full ? -Infinity : performance.now()
  }

  async function drainOnce(stopping: () => boolean): Promise<DrainCounts> {
    const counts: DrainCounts = { claimed: 0, published: 0, failed: 0, dead: 0 }
    outage = undefined
    mayStart = () => outage === undefined && !stopping()
    if (!nudged) lookedForDueAt = -Infinity
    more = true
    // Who stops sends nothing new, and what is on its way left with time enough on the lease: no need to renew it.
    const balanceInMs = () => (stopping() ? SEND_TIMEOUT_MS : lease.dueInMs())
    for (;;) {
      // Alone, and before the next claim: one that looked while a key's failure was being written would take the next of
      // that key. What was accepted holds nothing back, so claiming beside it is safe; it is held until both are done.
      await settleRejectedEvents(counts)
      if (balanceInMs() === 0) await balance()
      const isRoom = () => hold.size() < MAX_HELD && hold.size() - accepted.length < LOW_WATER
      const mayRead = () => mayStart() && isRoom() && counts.claimed < MAX_CYCLE
      if (mayRead() && (more || nudged)) await both(readPending(counts), settleAcceptedEvents(counts))
      else await settleAcceptedEvents(counts)
      startSends()
      if (mayRead() && performance.now() - lookedForDueAt > LOOK_FOR_DUE_MS) await readDue(counts)
      startSends()
      if (rejected.length > 0 || (accepted.length > 0 && settleInMs() === 0)) continue
      if (sending > 0) await bell.wait(accepted.length > 0 ? Math.min(settleInMs(), balanceInMs()) : balanceInMs())
      else if (!mayStart() || !(hold.hasReady() || ((more || nudged) && counts.claimed < MAX_CYCLE))) break
    }
    // The last send rang for this loop, not for whoever sleeps next.
    if (!nudged) bell.clear()
    return outage === undefined ? counts : { ...counts, outage }
  }

  async function balance(): Promise<void> {
    const before = lease.owned()
    await lease.balance((lane) => hold.idsOf(lane).length === 0)
    const readable = new Set(lease.readable())
    hold.forgetWaiting((lane) => !readable.has(lane))
    if (lease.owned() === before) return
    more = true
    report({ kind: 'lanes', owned: lease.owned(), of: LANES })
  }

  async function sendsEnded(): Promise<void> {
    while (sending > 0) await bell.wait(SEND_TIMEOUT_MS)
  }

  function nudge(): void {
    nudged = true
    bell.ring()
  }

  return { drainOnce, balance, sendsEnded, nudge }
}

/** Waits for both, also when one fails: nothing may go on behind the back of the next cycle. */
async function both<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other])
  return Promise.all([one, other])
}
