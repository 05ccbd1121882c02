/** A delivery that takes longer waited for something: tens of milliseconds are the rule. */
export const SLOW_MS = 200
/** What a replacement changes is settled again within this time after it. */
const SETTLED_AFTER_MS = 2_500

/** The times of an event, in milliseconds since the epoch. */
export interface Delivery {
  occurred: number
  /** Its transaction wrote it. */
  written: number
  /** SQS accepted it. */
  accepted: number
  notified: number
}

/** A replacement of one process, in milliseconds since the epoch. */
export interface Replacement {
  /** The kind of the process, and the release that follows. */
  what: string
  stopping: number
  starting: number
  ready: number
}

/** Deliveries of one phase of a rolling replacement. `slow` took longer than `SLOW_MS`. */
export interface Phase {
  phase: string
  deliveries: number
  slow: number
  /** The slow ones by where most of their time passed: until the row was written, until SQS accepted, until stored. */
  waitedFor: { write: number; relay: number; inbox: number }
  longestMs: number
}

/** Counts the deliveries by the process that was replaced during the longest wait of the event. */
export function countByPhase(deliveries: readonly Delivery[], replacements: readonly Replacement[]): Phase[] {
  const phases = new Map<string, Phase>()
  for (const delivery of deliveries) {
    const { stage, from } = longestStage(delivery)
    const phase = phaseAt(from, replacements)
    const row = phases.get(phase) ?? {
      phase,
      deliveries: 0,
      slow: 0,
      waitedFor: { write: 0, relay: 0, inbox: 0 },
      longestMs: 0,
    }
    phases.set(phase, row)
    const tookMs = delivery.notified - delivery.occurred
    row.deliveries++
    row.longestMs = Math.max(row.longestMs, Math.round(tookMs))
    if (tookMs <= SLOW_MS) continue
    row.slow++
    row.waitedFor[stage]++
  }
  return [...phases.values()]
}

function longestStage({ occurred, written, accepted, notified }: Delivery) {
  const stages = [
    { stage: 'write', from: occurred, ms: written - occurred },
    { stage: 'relay', from: written, ms: accepted - written },
    { stage: 'inbox', from: accepted, ms: notified - accepted },
  ] as const
  return stages.reduce((longest, next) => (next.ms > longest.ms ? next : longest))
}

function phaseAt(time: number, replacements: readonly Replacement[]): string {
  const last = replacements.findLast(({ stopping }) => stopping <= time)
  if (last === undefined) return 'before'
  if (time < last.starting) return `${last.what}: the old one stops`
  if (time < last.ready) return `${last.what}: the new one starts`
  return time < last.ready + SETTLED_AFTER_MS ? `${last.what}: the new one is ready` : 'after'
}
