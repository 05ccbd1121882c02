import { databaseOutage, isolate } from '@product-events/outages'
import type { Tables } from './database.ts'
import type { DrainCounts } from './drain.ts'
import type { Hold } from './hold.ts'
import { storableReason } from './reason.ts'
import type { Report } from './reports.ts'
import type { OutboxEvent } from './send.ts'
import { type Rejection, settleAccepted, settleRejected } from './settle.ts'

/**
 * Accepted events are settled this often, or when there are this many. So a lone event is settled at once and a
 * stream in batches: a statement for each event would cost the database more than the event. A crash makes duplicates
 * of events that are not settled, so the pause is short.
 */
const EVERY_MS = 100
const AT_ONCE = 500
const BYTES_AT_ONCE = 1024 * 1024
/** The largest integer of PostgreSQL: a database may be unreachable for weeks. */
const MAX_AGO_MS = 2_147_483_647
/**
 * An event that the database refuses to mark is tried again after this time: an operator has to change something first.
 */
const ASIDE_MS = 30_000

export interface SettlingOptions {
  tables: Tables
  hold: Hold
  report: Report
  /** Called with each event that the database has marked: more of its key may be readable now. */
  onSettled: (event: OutboxEvent, as: 'accepted' | 'rejected') => void
  /** A monotonic clock in milliseconds. */
  now?: () => number
}

/** Verdicts of the broker that are not in the database yet. They stay in memory while the database is unreachable. */
export interface Settling {
  add(accepted: readonly OutboxEvent[], rejected: readonly Rejection[]): void
  unsettled(): { accepted: number; rejected: number }
  /** Milliseconds until accepted events should be marked. */
  dueInMs(): number
  /** Both reject when the database can't be used. The next call marks the events that this one did not. */
  markAccepted(counts: DrainCounts): Promise<void>
  markRejected(counts: DrainCounts): Promise<void>
}

export function createSettling(options: SettlingOptions): Settling {
  const { tables, hold, report, onSettled, now = () => performance.now() } = options
  const accepted = createAccepted()
  const rejected = new Set<Rejection>()
  const aside = createAside(report, now)
  let markedAt = -Infinity

  function isMarked({ event, status, attempts, reason, delayMs }: Rejection, counts: DrainCounts): void {
    hold.forgetKey(event)
    onSettled(event, 'rejected')
    counts[status]++
    if (status === 'dead') report({ kind: 'dead', event, reason })
    else report({ kind: attempts === event.attempts ? 'postponed' : 'failed', event, reason, delayMs })
  }

  /** Marks rejections. Where the database refuses one, its reason gives way, and then its retry. */
  async function mark(batch: readonly Rejection[], fallbacks: number, counts: DrainCounts): Promise<void> {
    const { done, culprits, outage } = await isolate(batch, work(tables, settleRejected))
    for (const rejection of done) {
      rejected.delete(rejection)
      isMarked(rejection, counts)
    }
    for (const { item, error } of culprits) {
      rejected.delete(item)
      const plainer = { ...item, ...plainerAfter(error, fallbacks) }
      if (fallbacks > 0) rejected.add(plainer)
      else aside.put(item.event, error, () => void rejected.add(item))
      if (fallbacks > 0) await mark([plainer], fallbacks - 1, counts)
    }
    if (outage) throw outage
  }

  return {
    add(newlyAccepted, newlyRejected) {
      for (const event of newlyAccepted) accepted.add(event, now())
      for (const rejection of newlyRejected) rejected.add(rejection)
    },
    unsettled: () => ({ accepted: accepted.size(), rejected: rejected.size }),

    dueInMs() {
      if (accepted.isMuch()) return 0
      return Math.max(0, markedAt + EVERY_MS - now())
    },

    async markAccepted(counts) {
      aside.takeDue()
      if (accepted.size() === 0) return
      markedAt = now()
      const settle = (to: Tables, part: readonly Sent[]) => settleAcceptedAt(to, part, now())
      const { done, culprits, outage } = await isolate(accepted.all(), work(tables, settle))
      for (const { event } of done) {
        accepted.delete(event)
        hold.forget(event)
        onSettled(event, 'accepted')
      }
      for (const { item, error } of culprits) {
        accepted.delete(item.event)
        aside.put(item.event, error, () => accepted.add(item.event, item.at))
      }
      counts.published += done.length
      if (outage) throw outage
    },

    async markRejected(counts) {
      if (rejected.size > 0) await mark([...rejected], 2, counts)
    },
  }
}

interface Sent {
  event: OutboxEvent
  /** When the broker accepted it. */
  at: number
}

/** The events that the broker accepted and the database has not marked. */
function createAccepted() {
  /** With the time of the acceptance, by the monotonic clock. */
  const events = new Map<OutboxEvent, number>()
  let bytes = 0
  return {
    add(event: OutboxEvent, at: number): void {
      if (!events.has(event)) bytes += event.payload.length
      events.set(event, at)
    },
    delete(event: OutboxEvent): void {
      if (events.delete(event)) bytes -= event.payload.length
    },
    size: () => events.size,
    /** As much as one statement should mark. */
    isMuch: () => events.size >= AT_ONCE || bytes >= BYTES_AT_ONCE,
    all: (): Sent[] => [...events].map(([event, at]) => ({ event, at })),
  }
}

function settleAcceptedAt(tables: Tables, events: readonly Sent[], now: number): Promise<void> {
  return settleAccepted(
    tables,
    events.map(({ event: { id, eventId, redriven }, at }) => ({
      id,
      eventId,
      redriven,
      agoMs: Math.min(MAX_AGO_MS, Math.round(now - at)),
    })),
  )
}

/** Work for `isolate`. The probe marks nothing, and needs every right that marking needs. */
function work<Item>(tables: Tables, statement: (tables: Tables, items: readonly Item[]) => Promise<void>) {
  return {
    attempt: (part: readonly Item[]) => statement(tables, part),
    isOutage: (error: Error) => databaseOutage(error) !== undefined,
    probe: () => statement(tables, []),
  }
}

function plainerAfter(error: Error, fallbacks: number): Partial<Rejection> {
  const refusal = storableReason(error.message).replaceAll(/[^ -~]/g, '?')
  if (fallbacks > 1) return { reason: `the database refused to store the reason: ${refusal}` }
  return { status: 'dead', delayMs: 0, reason: `the database refused to store a retry: ${refusal}` }
}

/** Events that the database refuses to mark, alone as well. Reported once, and retried from time to time. */
function createAside(report: Report, now: () => number) {
  const aside = new Set<{ again: () => void; at: number }>()
  const reported = new WeakSet<OutboxEvent>()
  return {
    put(event: OutboxEvent, error: Error, again: () => void): void {
      aside.add({ again, at: now() + ASIDE_MS })
      if (reported.has(event)) return
      reported.add(event)
      report({ kind: 'unsettled', event, reason: storableReason(error.message) })
    },
    takeDue(): void {
      for (const entry of aside) {
        if (entry.at > now()) return
        aside.delete(entry)
        entry.again()
      }
    },
  }
}
