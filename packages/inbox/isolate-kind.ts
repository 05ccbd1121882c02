import { databaseErrorOf, failureOf, isolate } from '@product-events/outages'
import { inSequence, type InboxEvent } from './event.ts'
import type { Evidence } from './evidence.ts'
import type { Entry, Outcome, Stored } from './group-commit.ts'

export interface KindIsolation<Event extends InboxEvent> {
  kind: string
  store: (part: readonly Entry<Event>[]) => Promise<readonly Stored[]>
  probe: (kind: string) => Promise<boolean>
  isOutage: (error: Error) => boolean
  evidence: Evidence
}

export interface IsolatedKind<Event extends InboxEvent> {
  /** By entry; one without an outcome is held. */
  outcomes: Map<Entry<Event>, Outcome>
  /** Why entries are held, if some are. */
  heldFor: Error | undefined
  /** An event of the kind, or the store's probe, succeeded. */
  proven: boolean
}

/** Without a success, more events that fail alone say nothing new. Each costs a transaction in every round. */
const MOST_LONE_FAILURES = 8

/** The error of one event's handler: it is known whose it is before any halving. */
export class EventError extends Error {
  readonly entry: Entry

  constructor(entry: Entry, cause: Error) {
    super(cause.message, { cause })
    this.entry = entry
  }
}

export function causeOf(error: Error): Error {
  return databaseErrorOf(error instanceof EventError ? (error.cause as Error) : error)
}

/**
 * Stores entries of one kind: all together, or after an error in halves until each event that fails is alone. Those are
 * refused if the store's probe succeeds, or if there is evidence against them; otherwise all that is left is held.
 */
export async function isolateKind<Event extends InboxEvent>(
  entries: readonly Entry<Event>[],
  { kind, store, probe, isOutage, evidence }: KindIsolation<Event>,
): Promise<IsolatedKind<Event>> {
  const outcomes = new Map<Entry<Event>, Outcome>()
  const suspects = new Map<Entry, Error>()
  /** Events that failed alone before anything of their kind succeeded: the cause may have gone in between. */
  const failedFirst = new Set<Entry<Event>>()
  let loneFailures = 0
  let proven = false

  async function attempt(part: readonly Entry<Event>[]): Promise<void> {
    // The event at fault is known: halving goes on down to it without asking the database again.
    const suspect = part.length > 1 ? part.find((entry) => suspects.has(entry)) : undefined
    if (suspect) throw suspects.get(suspect)
    try {
      for (const [entry, outcome] of await storeInSequence(store, part)) outcomes.set(entry, outcome)
      proven = true
      evidence.succeeded(kind, part)
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      if (error instanceof EventError) suspects.set(error.entry, error)
      const [entry] = part
      if (entry && part.length === 1 && !isOutage(error)) {
        evidence.failed(entry)
        if (!proven) failedFirst.add(entry)
        loneFailures++
      }
      throw error
    }
  }

  const { culprits, outage } = await isolate(inOrderOfTrust(entries, evidence), {
    attempt,
    isOutage: (error) => isOutage(error) || (!proven && loneFailures >= MOST_LONE_FAILURES),
    probe: async () => {
      proven ||= await probe(kind)
    },
  })
  let heldFor = outage
  for (const { item, error } of culprits) {
    if (proven && failedFirst.has(item) && (await failureOf(() => attempt([item]))) === undefined) continue
    if (proven || evidence.isAgainst(kind, item)) {
      outcomes.set(item, { kind: 'refused', error: causeOf(error) })
      evidence.foundAtFault(item)
    } else heldFor ??= error
  }
  return { outcomes, heldFor, proven }
}

/** Events that failed before come last: the others are the evidence. */
function inOrderOfTrust<Event extends InboxEvent>(
  entries: readonly Entry<Event>[],
  evidence: Evidence,
): Entry<Event>[] {
  const failed = entries.filter((entry) => evidence.hasFailed(entry))
  return [...entries.filter((entry) => !evidence.hasFailed(entry)), ...failed]
}

/**
 * Stores a part by one transaction, events of one key by sequence: effects have the order in which they are stored, so
 * no reader may sort them once more.
 */
export async function storeInSequence<Event extends InboxEvent>(
  store: KindIsolation<Event>['store'],
  part: readonly Entry<Event>[],
): Promise<Map<Entry<Event>, Stored>> {
  const inOrder = inSequence(part, ({ event }) => event)
  const results = await store(inOrder)
  return new Map(inOrder.map((entry, index) => [entry, results[index] ?? missingResult()]))
}

function missingResult(): Stored {
  throw new Error('the store gave fewer results than it was given entries')
}
