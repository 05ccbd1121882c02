import { outageBackoffMs } from './backoff.ts'
import { createOutageWatch, type OutageEvents, type OutageWatch } from './outage-watch.ts'

/** An `OutageWatch` that also says how long its users must rest. */
export interface Rest extends OutageWatch {
  /** Milliseconds until the dependency may be asked again; 0 when it may be asked now. */
  pauseMs(): number
}

/** Rests after failures in a row, longer each time up to `capMs`, and reports the change of state, not each failure. */
export function createRest(events: OutageEvents, capMs?: number): Rest {
  const watch = createOutageWatch(events)
  let failures = 0
  let resumeAt = 0
  return {
    isAway: watch.isAway,
    pauseMs: () => Math.max(0, resumeAt - performance.now()),
    failed(reason) {
      failures++
      // At least a millisecond: a caller that loops until the pause is over must reach the event loop.
      resumeAt = performance.now() + Math.max(1, outageBackoffMs(failures, capMs))
      watch.failed(reason)
    },
    worked() {
      failures = 0
      resumeAt = 0
      watch.worked()
    },
  }
}
