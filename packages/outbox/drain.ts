import type { Bell } from './bell.ts'
import { type News, runCycle } from './cycle.ts'
import type { Tables } from './database.ts'
import type { Hold } from './hold.ts'
import { LANES } from './lanes.ts'
import type { Lease } from './lease.ts'
import type { Poll } from './poll.ts'
import { createReading } from './reading.ts'
import type { Report } from './reports.ts'
import { type OutboxEvent, type Send, SEND_TIMEOUT_MS } from './send.ts'
import { createSending } from './sending.ts'
import type { Rejection, Retries } from './settle.ts'
import { createSettling } from './settling.ts'

export interface DrainCounts {
  claimed: number
  published: number
  failed: number
  dead: number
  /** Why the cycle ended early: the broker gave no verdict. */
  outage?: string
}

/** The task of a cycle. */
export interface Cycle {
  /** True once no more events should be sent. */
  stopping: () => boolean
  /** Failed events that are due are looked for twice a second at most, also if no nudge caused the cycle. */
  onlyNew?: boolean
  /** The database was unreachable: all kinds of statements are tried, so that a right that is missing shows. */
  afterOutage?: boolean
  /** When to look for new events without a nudge; a cycle may be long. */
  poll?: Poll
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
  /** Sends in flight at once, where the broker is near. */
  inFlight: number
  /** The same where it is far away; as near, if it is left out. */
  mostInFlight?: number
  retries: Retries
  /** A monotonic clock in milliseconds, by which accepted events are marked. */
  now?: () => number
}

export interface Drain {
  drainOnce(cycle: Cycle): Promise<DrainCounts>
  /** Renews the lease and hands lanes over. `drainOnce` does so too; while it rests, its caller must. */
  balance(): Promise<void>
  /** Resolves when no send is in flight: only then may the lanes be given up. */
  sendsEnded(): Promise<void>
  /** There is something new: read again. */
  nudge(): void
}

/**
 * One bounded cycle: reads due events, sends them and settles the broker's verdicts, until nothing is left, the broker
 * has an outage, or `stopping` says so. Sends overlap with everything; of the database's work only settling what was
 * accepted overlaps with reading, which is what keeps "read" and "settled" in an order that can be reasoned about.
 */
export function createDrain({ tables, send, lease, hold, bell, report, ...limits }: DrainOptions): Drain {
  const news: News = { waiting: false }
  let hadOutage = false
  const settling = createSettling({
    ...limits,
    tables,
    hold,
    report,
    onSettled: (event, as) => reading.settled(event, as),
  })
  const reading = createReading({ tables, lease, hold, onBroken: (rejections) => settling.add([], rejections) })
  const sending = createSending({ ...limits, send, lease, hold, onSent })

  function onSent(accepted: OutboxEvent[], rejected: Rejection[]): void {
    for (const event of accepted) if (hold.accepted(event)) reading.again()
    settling.add(accepted, rejected)
    if (accepted.length > 0) report({ kind: 'published', events: accepted, at: Date.now() })
    bell.ring()
  }

  async function drainOnce(cycle: Cycle): Promise<DrainCounts> {
    sending.begin(() => !cycle.stopping())
    if (hadOutage) reading.startOver()
    if (cycle.afterOutage === true) reading.lookForLateDue()
    else if (!news.waiting && cycle.onlyNew !== true) reading.lookForDue()
    reading.again()
    const counts = await runCycle(cycle, { settling, reading, sending, lease, hold, bell, news, balance })
    // The last send rang for this loop, not for the sleep that follows.
    if (!news.waiting) bell.clear()
    const outage = sending.outage()
    hadOutage = outage !== undefined
    return outage === undefined ? counts : { ...counts, outage }
  }

  async function balance(): Promise<void> {
    const [owned, readable] = [lease.owned(), new Set(lease.readable())]
    await balanceLanes(lease, hold)
    // Also a lane that was to be handed over and stays after all: nothing was read from it since.
    if (lease.readable().some((lane) => !readable.has(lane))) reading.again()
    if (lease.owned() !== owned) report({ kind: 'lanes', owned: lease.owned(), of: LANES })
  }

  return {
    drainOnce,
    balance,
    async sendsEnded() {
      while (sending.underWay() > 0) await bell.wait(SEND_TIMEOUT_MS)
    },
    nudge() {
      news.waiting = true
      bell.ring()
    },
  }
}

/** Events of lanes that are not this relay's any more, or not for long, are forgotten: another relay may send them. */
async function balanceLanes(lease: Lease, hold: Hold): Promise<void> {
  await lease.balance((lane) => hold.eventsOf(lane).length === 0)
  const readable = new Set(lease.readable())
  hold.forgetWaiting((lane) => !readable.has(lane))
}
