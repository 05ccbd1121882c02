import { setTimeout as sleep } from 'node:timers/promises'
import { createBatcher } from '@product-events/batcher'
import { databaseOutage } from '@product-events/outages'
import type { InboxEvent, Message } from './event.ts'
import { createEvidence } from './evidence.ts'
import { causeOf, EventError, isolateKind, storeInSequence } from './isolate-kind.ts'
import type { Guard, Report } from './reports.ts'
import { createRests, EVERYTHING, type Rests } from './rests.ts'

/** An event on its way into the database, and the message that brought it. */
export interface Entry<Event extends InboxEvent = InboxEvent> {
  message: Message
  event: Event
  /** See `contentHash`. */
  content: string
}

/** The state of an event in the database after a commit. */
export type Stored =
  { kind: 'stored'; delaySeconds?: number } | { kind: 'duplicate'; differs: boolean } | { kind: 'stale' }

/** `refused`: only this event fails. `interrupted`: the consumer stops while events are held. */
export type Outcome = Stored | { kind: 'refused'; error: Error } | { kind: 'interrupted' }

/** Where the effects of events go: user code, called with many events at once. */
export interface Store<Event extends InboxEvent = InboxEvent> {
  /**
   * Stores the effects of all entries and remembers their events in one transaction, or rejects and does neither.
   * Resolves, after the commit, with what became of each, in their order.
   */
  store: (entries: readonly Entry<Event>[]) => Promise<readonly Stored[]>
  /**
   * The same work for a harmless event of this kind, rolled back. Rejects when no event of the kind can be stored, and
   * resolves with false when it can't tell: then only another event of the kind can.
   */
  probe: (kind: string) => Promise<boolean>
  /** False for an event that nothing is done for: its message is deleted. By default all events are handled. */
  handles?: ((event: Event) => boolean) | undefined
  /** Errors that no event can cause, beside those of `databaseOutage`. */
  isOutage?: ((error: Error) => boolean) | undefined
  /**
   * Events that fail for the same reason when their code or their tables are broken; by default all are of one kind.
   */
  kindOf?: ((event: Event) => string) | undefined
}

export interface GroupCommit<Event extends InboxEvent> {
  /**
   * Resolves with what became of the event, after the commit. Never rejects. While its failure is the database's or
   * that of all events of its kind, it is retried; `onHeld` is called before each pause.
   */
  put(entry: Entry<Event>, signal: AbortSignal, onHeld?: () => void): Promise<Outcome>
  /** Why nothing, or nothing of some kind, can be stored at present; undefined when all is well. */
  failing(): string | undefined
}

/** One statement that stays below a tenth of a second on a small machine. */
const MOST_ITEMS = 500
/** Messages have up to a megabyte each: memory here and in the database must not be a multiple of those in hand. */
const MOST_BYTES = 2 * 1024 * 1024
/** SQLSTATEs of a transaction that lost against another one. */
const LOST = /^(40001|40P01)$/
const MOST_LOSSES = 3

/**
 * Stores what all receivers of a process bring by one transaction at a time; events that arrive meanwhile share the
 * next one. So a batch grows with the load, and the transactions of a process never wait for each other.
 *
 * An error that may be one event's is isolated by halving. It is the event's only if another event of its kind, or the
 * store's probe, succeeds; otherwise events are held, and all of them are retried together after a rest.
 */
export function createGroupCommit<Event extends InboxEvent>(
  store: Omit<Store<Event>, 'handles'>,
  report: Report<Event>,
  guard: Guard,
): GroupCommit<Event> {
  const { kindOf = () => '' } = store
  const rests = createRests(report, guard)
  const share = createBatcher<Entry<Event>, Outcome | undefined>({
    run: createRound({ ...store, kindOf }, rests),
    maxItems: MOST_ITEMS,
    bytes: { of: ({ message }) => message.Body?.length ?? 0, most: MOST_BYTES },
    maxInFlight: 1,
    // The messages in hand bound them: see `IN_HAND` in receive.ts.
    maxWaiting: Infinity,
    maxWaitMs: Infinity,
    refusal: () => new Error('too many events wait'),
    isFaultOfOne: () => false,
  })

  return {
    async put(entry, signal, onHeld) {
      const kind = kindOf(entry.event)
      for (;;) {
        const outcome = await share(entry).catch((error: Error) => {
          rests.failed(kind, error.message)
        })
        if (outcome) return outcome
        onHeld?.()
        while (rests.pauseMs(kind) > 0 && !signal.aborted) {
          await sleep(rests.pauseMs(kind), undefined, { signal }).catch(() => {})
        }
        if (signal.aborted) return { kind: 'interrupted' }
      }
    },
    failing: rests.failing,
  }
}

type RoundOptions<Event extends InboxEvent> = Pick<Store<Event>, 'store' | 'probe' | 'isOutage'> & {
  kindOf: (event: Event) => string
}

/** One transaction for all entries, or one for each kind when that fails. An entry without an outcome is held. */
function createRound<Event extends InboxEvent>(options: RoundOptions<Event>, rests: Rests) {
  const { probe, isOutage, kindOf } = options
  const evidence = createEvidence()
  const store = (part: readonly Entry<Event>[]) => retryLost(() => options.store(part))
  const isOutageError = (error: Error) => {
    const cause = causeOf(error)
    return databaseOutage(cause) !== undefined || isOutage?.(cause) === true
  }

  /** A handler's error says nothing about events of other kinds, not even that the database is unreachable. */
  function restAfter(error: Error, kind: string): void {
    const everything = isOutageError(error) && !(error instanceof EventError)
    rests.failed(everything ? EVERYTHING : kind, causeOf(error).message || error.name)
  }

  /** While events of a kind rest, one that was not tried yet is: it may be the evidence that the others lack. */
  function isDue(entry: Entry<Event>): boolean {
    const kindRests = rests.pauseMs(kindOf(entry.event)) > 0
    return rests.pauseMs(EVERYTHING) === 0 && (!kindRests || !evidence.hasFailed(entry))
  }

  return async (entries: Entry<Event>[]): Promise<(Outcome | undefined)[]> => {
    const outcomes = new Map<Entry<Event>, Outcome>()
    const due = entries.filter(isDue)
    const kinds = new Set(due.map(({ event }) => kindOf(event)))
    if (kinds.size > 1) {
      const stored = await storeInSequence(store, due).catch((error: Error) => {
        if (isOutageError(error)) restAfter(error, EVERYTHING)
      })
      if (stored) {
        for (const kind of kinds) {
          evidence.succeeded(kind, due)
          rests.worked(kind)
        }
        return entries.map((entry) => stored.get(entry))
      }
    }
    for (const kind of kinds) {
      if (rests.pauseMs(EVERYTHING) > 0) break
      const ofKind = due.filter(({ event }) => kindOf(event) === kind)
      const isolated = await isolateKind(ofKind, { kind, store, probe, isOutage: isOutageError, evidence })
      for (const [entry, outcome] of isolated.outcomes) outcomes.set(entry, outcome)
      if (isolated.heldFor) restAfter(isolated.heldFor, kind)
      else if (isolated.proven) rests.worked(kind)
    }
    return entries.map((entry) => outcomes.get(entry))
  }
}

/** A transaction that lost against another one is retried at once: the other one is over by then. */
async function retryLost<Result>(transaction: () => Promise<Result>): Promise<Result> {
  for (let losses = 1; ; losses++) {
    try {
      return await transaction()
    } catch (error) {
      const { code } = causeOf(error as Error) as { code?: unknown }
      if (losses === MOST_LOSSES || typeof code !== 'string' || !LOST.test(code)) throw error
    }
  }
}
