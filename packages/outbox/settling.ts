import { databaseOutage, isolate } from '@product-events/outages'
import type { Tables } from './database.ts'
import type { DrainCounts } from './drain.ts'
import type { Hold } from './hold.ts'
import { storableReason } from './reason.ts'
import type { Report } from './reports.ts'
import type { OutboxEvent } from './send.ts'
import { type Rejection, settleAccepted, settleRejected } from './settle.ts'

/** While sends are in flight, what was accepted is settled this often, or when there is as much as this: a statement for
 * each batch of ten would cost the database more than the events themselves. A crash makes duplicates of what is not
 * settled, so the pause is short. */
const EVERY_MS = 10
const AT_ONCE = 500
/** An event that the database refuses to mark is tried again after this time: an operator has to change something first. */
const ASIDE_MS = 30_000

export interface SettlingOptions {
  tables: Tables
  hold: Hold
  report: Report
  /** Called with each event that the database has marked: more of its key may be readable now. */
  onSettled: (event: OutboxEvent, as: 'accepted' | 'rejected') => void
}

/** What the broker said and the database does not know yet. It stays in memory while the database is unreachable. */
export interface Settling {
  add(accepted: readonly OutboxEvent[], rejected: readonly Rejection[]): void
  unsettled(): { accepted: number; rejected: number }
  /** Milliseconds until what was accepted should be marked. */
  dueInMs(sending: number): number
  /** Both reject when the database can't be used; what is not marked then is marked by the next call. */
  markAccepted(counts: DrainCounts): Promise<void>
  markRejected(counts: DrainCounts): Promise<void>
}

export function createSettling({ tables, hold, report, onSettled }: SettlingOptions): Settling {
  const accepted = new Set<OutboxEvent>()
  const rejected = new Set<Rejection>()
  const aside = createAside(report)
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
      for (const event of newlyAccepted) accepted.add(event)
      for (const rejection of newlyRejected) rejected.add(rejection)
    },
    unsettled: () => ({ accepted: accepted.size, rejected: rejected.size }),

    dueInMs(sending) {
      if (sending === 0 || accepted.size >= AT_ONCE) return 0
      return Math.max(0, markedAt + EVERY_MS - performance.now())
    },

    async markAccepted(counts) {
      aside.takeDue()
      if (accepted.size === 0) return
      markedAt = performance.now()
      const { done, culprits, outage } = await isolate([...accepted], work(tables, settleAccepted))
      for (const event of done) {
        accepted.delete(event)
        hold.forget(event)
        onSettled(event, 'accepted')
      }
      for (const { item, error } of culprits) {
        accepted.delete(item)
        aside.put(item, error, () => void accepted.add(item))
      }
      counts.published += done.length
      if (outage) throw outage
    },

    async markRejected(counts) {
      if (rejected.size > 0) await mark([...rejected], 2, counts)
    },
  }
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

/** What the database refuses to mark, however it is put. It is reported once, and tried again from time to time. */
function createAside(report: Report) {
  const aside = new Set<{ again: () => void; at: number }>()
  const reported = new WeakSet<OutboxEvent>()
  return {
    put(event: OutboxEvent, error: Error, again: () => void): void {
      aside.add({ again, at: performance.now() + ASIDE_MS })
      if (reported.has(event)) return
      reported.add(event)
      report({ kind: 'unsettled', event, reason: storableReason(error.message) })
    },
    takeDue(): void {
      for (const entry of aside) {
        if (entry.at > performance.now()) return
        aside.delete(entry)
        entry.again()
      }
    },
  }
}
