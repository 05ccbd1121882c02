import { createRest, type Rest } from '@product-events/outages'
import type { InboxEvent } from './event.ts'
import type { AwayPart, Guard, Report } from './reports.ts'

/** The kind of the rest that holds events of every kind: the database's. */
export const EVERYTHING = ''

/** The rests of an inbox after failures: one of the database, and one of each kind of event. */
export interface Rests {
  /** Milliseconds until events of the kind may be stored, as far as both rests are concerned; 0 when they may. */
  pauseMs(kind: string): number
  failed(kind: string, reason: string): void
  /** Events of the kind were stored, so the database works as well. */
  worked(kind: string): void
  /** Why nothing, or nothing of some kind, can be stored at present; undefined when all is well. */
  failing(): string | undefined
}

/** Reports each failure once, and its end. */
export function createRests<Event extends InboxEvent>(report: Report<Event>, guard: Guard): Rests {
  const rests = new Map<string, Rest & { reason?: string }>()

  function restOf(kind: string): Rest {
    const known = rests.get(kind)
    if (known) return known
    const what: AwayPart = kind === EVERYTHING ? 'database' : `handler ${kind}`
    const rest: Rest & { reason?: string } = createRest({
      lost: (reason) => {
        rest.reason = `${what}: ${reason}`
        guard(() => report({ kind: 'away', what, reason }))
      },
      back: (awayMs) => guard(() => report({ kind: 'back', what, awayMs })),
    })
    rests.set(kind, rest)
    return rest
  }

  return {
    pauseMs: (kind) => Math.max(restOf(EVERYTHING).pauseMs(), restOf(kind).pauseMs()),
    failed: (kind, reason) => restOf(kind).failed(reason),
    worked(kind) {
      restOf(EVERYTHING).worked()
      restOf(kind).worked()
    },
    failing: () => [...rests.values()].find((rest) => rest.isAway())?.reason,
  }
}
