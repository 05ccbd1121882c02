import type { Entry } from './group-commit.ts'

/** Which events succeeded and failed: it decides whose failure an error is, where no probe can. */
export interface Evidence {
  succeeded(kind: string, entries: readonly Entry[]): void
  failed(entry: Entry): void
  hasFailed(entry: Entry): boolean
  /** True if the event was found at fault before, or if another event of its kind succeeded since it first failed. */
  isAgainst(kind: string, entry: Entry): boolean
  foundAtFault(entry: Entry): void
}

/** The messages of the oldest ones are in the dead-letter queue long since. */
const MOST_AT_FAULT = 10_000

export function createEvidence(): Evidence {
  /** Counts successes and failures, so that it is known which came first. */
  let clock = 0
  const succeededAt = new Map<string, number>()
  const failedAt = new WeakMap<Entry, number>()
  /** Ids: when the message of such an event comes again, no other event may be there to compare with. */
  const atFault = new Set<string>()
  return {
    succeeded(kind, entries) {
      succeededAt.set(kind, ++clock)
      for (const { event } of entries) atFault.delete(event.id)
    },
    failed(entry) {
      if (!failedAt.has(entry)) failedAt.set(entry, ++clock)
    },
    hasFailed: (entry) => failedAt.has(entry),
    isAgainst: (kind, entry) =>
      atFault.has(entry.event.id) || (succeededAt.get(kind) ?? 0) > (failedAt.get(entry) ?? Infinity),
    foundAtFault({ event }) {
      atFault.add(event.id)
      const [oldest = ''] = atFault
      if (atFault.size > MOST_AT_FAULT) atFault.delete(oldest)
    },
  }
}
