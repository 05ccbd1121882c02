/** A broker that answers within this time needs no more calls at once than a near one. */
const NEAR_MS = 12.5
/** The shortest of so many calls, and of those before, is the round trip: a busy process makes the others longer. */
const CALLS = 50

export interface InFlight {
  /** A call was answered after so many milliseconds. */
  answered(ms: number): void
  /** Calls that may be in flight now. */
  limit(): number
}

/**
 * How many calls at once keep the broker as busy as `least` do where it is near: as many more as its round trip is
 * longer. Never more than `most`, which bounds sockets and, with the bounds of `reading.ts`, memory.
 */
export function createInFlight(least: number, most: number): InFlight {
  let calls = 0
  let [before, now] = [Infinity, Infinity]
  return {
    answered(ms) {
      now = Math.min(now, ms)
      if (++calls % CALLS === 0) [before, now] = [now, Infinity]
    },
    limit() {
      const roundTripMs = Math.min(before, now)
      if (roundTripMs === Infinity) return least
      return Math.max(least, Math.min(most, Math.ceil((least * roundTripMs) / NEAR_MS)))
    },
  }
}
