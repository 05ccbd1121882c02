import type { Bell } from './bell.ts'
import type { Cycle, DrainCounts } from './drain.ts'
import type { Hold } from './hold.ts'
import type { Lease } from './lease.ts'
import type { Reading } from './reading.ts'
import { SEND_TIMEOUT_MS } from './send.ts'
import type { Sending } from './sending.ts'
import type { Settling } from './settling.ts'

/** A cycle claims no more once it has claimed this many: it is bounded, so that its caller gets to look around. */
const MAX_CYCLE = 50_000

/** Whether a nudge announced new events since the last read. */
export interface News {
  waiting: boolean
}

export interface CycleParts {
  settling: Settling
  reading: Reading
  sending: Sending
  lease: Pick<Lease, 'dueInMs'>
  hold: Pick<Hold, 'ready'>
  bell: Bell
  news: News
  /** Renews the lease and hands lanes over. */
  balance: () => Promise<void>
}

/** Reads, sends and settles until nothing is left to do. Rejects when the database can't be used. */
export async function runCycle(cycle: Cycle, parts: CycleParts): Promise<DrainCounts> {
  const { settling, reading, sending, hold, bell, news, balance } = parts
  const counts: DrainCounts = { claimed: 0, published: 0, failed: 0, dead: 0 }
  const { balanceInMs, acceptedInMs, pollInMs, mayRead, isNew } = outlookOf(cycle, counts, parts)
  let hasLooked = false
  for (;;) {
    // Alone, and before the next claim: one that looked while a key's failure was being written would take the next of
    // that key. An accepted event blocks nothing, so claiming beside it is safe; it is held until both are done.
    await settling.markRejected(counts)
    if (balanceInMs() === 0) await balance()
    const marking = acceptedInMs() === 0 ? settling.markAccepted(counts) : undefined
    if (mayRead() && isNew()) {
      const [before, woken] = [counts.claimed, news.waiting]
      news.waiting = false
      await both(reading.pending(counts), marking)
      cycle.poll?.looked({ found: counts.claimed - before, woken })
      hasLooked = true
    } else await marking
    sending.start()
    if (mayRead() && reading.isDueTime()) await reading.due(counts)
    sending.start()
    const { accepted, rejected } = settling.unsettled()
    if (rejected > 0 || (accepted > 0 && acceptedInMs() === 0)) continue
    if (sending.underWay() > 0 || accepted > 0)
      await bell.wait(Math.min(accepted > 0 ? acceptedInMs() : Infinity, balanceInMs(), pollInMs()))
    else if (!(sending.mayStart() && hold.ready() > 0) && !(mayRead() && isNew())) break
  }
  if (!hasLooked) cycle.poll?.looked({ found: 0, woken: false })
  return counts
}

/** The work that a cycle may do now, and in how many milliseconds the rest is due. */
function outlookOf({ stopping, poll }: Cycle, counts: DrainCounts, parts: CycleParts) {
  const { settling, reading, sending, lease, news } = parts
  const mayRead = () => sending.mayStart() && reading.isRoom() && counts.claimed < MAX_CYCLE
  const pollInMs = () => (mayRead() ? (poll?.dueInMs() ?? Infinity) : Infinity)
  return {
    // A stopping relay sends nothing new. Its sends in flight began with enough time left on the lease.
    balanceInMs: () => (stopping() ? SEND_TIMEOUT_MS : lease.dueInMs()),
    acceptedInMs: () => (stopping() ? 0 : settling.dueInMs()),
    pollInMs,
    mayRead,
    isNew: () => reading.isMore() || news.waiting || pollInMs() === 0,
  }
}

/** Waits for both, also when one fails: nothing may go on behind the back of the next cycle. */
async function both(one: Promise<void>, other: Promise<void> | undefined): Promise<void> {
  await Promise.allSettled([one, other])
  await Promise.all([one, other])
}
