import { createBatcher } from '@product-events/batcher'
import type { InboxEvent, Message, Parsed } from './event.ts'
import type { Failure } from './failed-messages.ts'
import { createGroupCommit, type Store } from './group-commit.ts'
import { createParser } from './parse-messages.ts'
import type { Processing } from './process-messages.ts'
import { createGuard, type Report } from './reports.ts'
import { type MessageTracing, noTracing } from './trace.ts'

/** Records beside the effects of events. Each method rejects with the database's error. */
export interface RecordKeeping {
  note: (failures: readonly Failure[]) => Promise<void>
  forget: (messageIds: readonly string[]) => Promise<void>
  /** Deletes records past their retention, and resolves with the number of events. */
  prune: (signal: AbortSignal) => Promise<number>
}

export interface ProcessingOptions<Event extends InboxEvent> {
  parse: (message: Message) => Parsed<Event>
  report?: Report<Event> | undefined
  tracing?: MessageTracing | undefined
}

/** Reasons are noted together: they come ten at a time when a stranger writes to the queue. */
const MOST_NOTES = 100

export function createProcessing<Event extends InboxEvent>(
  { parse, report = () => {}, tracing = noTracing }: ProcessingOptions<Event>,
  store: Store<Event>,
  records: RecordKeeping,
): Processing<Event> {
  const guard = createGuard()
  const together = {
    maxItems: MOST_NOTES,
    maxInFlight: 1,
    maxWaiting: Infinity,
    maxWaitMs: Infinity,
    refusal: () => new Error('too many reasons wait'),
    isFaultOfOne: () => false,
  }
  return {
    parser: createParser(parse, report, guard),
    commits: createGroupCommit(store, report, guard),
    handles: store.handles ?? (() => true),
    report,
    guard,
    tracing,
    note: createBatcher<Failure, void>({
      ...together,
      run: async (failures) => (await records.note(failures), []),
    }),
    forget: createBatcher<string, void>({ ...together, run: async (ids) => (await records.forget(ids), []) }),
  }
}
