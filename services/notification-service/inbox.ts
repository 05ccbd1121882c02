import { setTimeout as sleep } from 'node:timers/promises'
import { outageBackoffMs, type OutageWatch } from '@product-events/outages'
import type pg from 'pg'
import { type SpanContext, type TraceHeaders, traceHeaders } from '@product-events/telemetry'
import { type Outgoing, storeWithDeliveries } from './channels/store-with-deliveries.ts'
import type { NewNotification } from './notifications/notification.ts'
import { isDataError, storedBefore } from './notifications/store.ts'

/**
 * What became of a notification:
 * - `stored`: it was new, and is durable;
 * - `duplicate`: its event was known already;
 * - `refused`: the database will never take what it says;
 * - `interrupted`: the process is told to stop while the database is away.
 */
export type Outcome =
  | { kind: 'stored'; delaySeconds: number }
  | { kind: 'duplicate' }
  | { kind: 'refused'; error: Error }
  | { kind: 'interrupted' }

export interface Inbox {
  /** Resolves with what became of it, after the commit. Never rejects. Its deliveries carry `trace` on. */
  put(notification: NewNotification, trace?: SpanContext): Promise<Outcome>
}

interface Entry {
  notification: NewNotification
  trace: SpanContext | undefined
  settle: (outcome: Outcome) => void
  /** A try to store it went wrong, but may have been committed: only its answer was lost. */
  unsure: boolean
}

export interface InboxOptions {
  pool: pg.Pool
  /** The channels beside the log; undefined when none is configured. */
  outgoing?: Outgoing | undefined
  /** Called after each commit that stored notifications. */
  onStored?: () => void
  reachable: OutageWatch
  stopping: AbortSignal
}

/**
 * Where the receivers of a process bring what they received. One statement at a time stores it; whatever is brought
 * meanwhile is stored by the next one. So batches grow with the load, up to ten for each receiver, a commit is shared by
 * all who wait for it, and the statements of a process never wait for each other's lock (see `storeNotifications`).
 *
 * While the database is away it tries for as long as it takes, unless the process is told to stop. A batch with data
 * that the database refuses is halved until the culprit is alone: it fails, and its neighbours are stored.
 */
export function createInbox({ pool, outgoing, onStored, reachable, stopping }: InboxOptions): Inbox {
  let waiting: Entry[] = []
  let storing = false

  async function storeWhatWaits(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await storeBatch(batch)
    }
    storing = false
  }

  async function storeBatch(batch: Entry[]): Promise<void> {
    const parts = [batch]
    let failures = 0
    for (let part = parts.pop(); part; part = parts.pop()) {
      try {
        await storePart(pool, part, outgoing)
        onStored?.()
        reachable.worked()
        failures = 0
      } catch (error) {
        if (isDataError(error)) {
          parts.push(...halvesOrRefusal(part, error as Error))
          continue
        }
        reachable.failed((error as Error).message)
        for (const entry of part) entry.unsure = true
        parts.push(part)
        failures += 1
        await sleep(outageBackoffMs(failures), undefined, { signal: stopping }).catch(() => {})
        // Those who wait would only wait as long again for the same answer.
        if (stopping.aborted) return settleAll([...parts.flat(), ...waiting.splice(0)], { kind: 'interrupted' })
      }
    }
  }

  return {
    put(notification, trace) {
      const { promise, resolve: settle } = Promise.withResolvers<Outcome>()
      waiting.push({ notification, trace, settle, unsure: false })
      if (!storing) {
        storing = true
        // Not at once: whoever brings ten brings them one after the other.
        queueMicrotask(() => void storeWhatWaits())
      }
      return promise
    },
  }
}

/** One statement, and one more after a lost answer: what that try committed was no duplicate. */
async function storePart(pool: pg.Pool, part: Entry[], outgoing: Outgoing | undefined): Promise<void> {
  const stored = await storeWithDeliveries(
    pool,
    part.map((entry) => entry.notification),
    outgoing,
    outgoing && headersOf(part),
  )
  const delays = new Map(stored.map(({ id, delay_seconds }) => [id, delay_seconds]))
  const unsure = part.filter((entry) => entry.unsure && !delays.has(entry.notification.id))
  if (unsure.length > 0) {
    const ids = unsure.map((entry) => entry.notification.id)
    for (const { id, delay_seconds } of await storedBefore(pool, ids)) delays.set(id, delay_seconds)
  }
  for (const { notification, settle } of part) {
    const delaySeconds = delays.get(notification.id)
    settle(delaySeconds === undefined ? { kind: 'duplicate' } : { kind: 'stored', delaySeconds })
  }
}

function headersOf(part: Entry[]): Map<string, TraceHeaders> {
  return new Map(part.flatMap(({ notification, trace }) => (trace ? [[notification.id, traceHeaders(trace)]] : [])))
}

function halvesOrRefusal(part: Entry[], error: Error): Entry[][] {
  if (part.length === 1) {
    settleAll(part, { kind: 'refused', error })
    return []
  }
  const middle = part.length >> 1
  // The last is taken next: first come, first stored.
  return [part.slice(middle), part.slice(0, middle)]
}

function settleAll(entries: Entry[], outcome: Outcome): void {
  for (const { settle } of entries) settle(outcome)
}
