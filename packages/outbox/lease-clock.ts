import type { ClockMs, LateLease } from './lanes.ts'

/** A smaller jump version no lease of a living relay: with four renewals before its end it has eight seconds left. */
const JUMP_MS = 5_000

/** Compares the database's clock with this process's monotonic one, and so knows when the former was set ahead. */
export function createClockWatch(now: () => number) {
  let last: { clockMs: ClockMs; asked: number } | undefined
  let jumpedAt = -Infinity
  return {
    /** The database said that it was `clockMs`, to a question asked at `asked`. */
    seen(clockMs: ClockMs, asked: number): void {
      // The most time that can have passed between the two readings: the answers may have taken long.
      if (last !== undefined && clockMs - last.clockMs > now() - last.asked + JUMP_MS) jumpedAt = now()
      last = { clockMs, asked }
    },
    hasJumpedAhead: (withinMs: number) => now() - jumpedAt < withinMs,
  }
}

/** Remembers leases that end too late, to find those whose relay does not renew them any more. */
export function createSilenceWatch(now: () => number, leaseMs: number) {
  let watched = new Map<string, { version: string; since: number }>()
  return {
    /** Of `leases`, those that have not changed for the length of a lease by this process's monotonic clock. */
    silentSince(leases: readonly LateLease[]): LateLease[] {
      const before = watched
      watched = new Map()
      return leases.filter(({ relay, version }) => {
        const known = before.get(relay)
        const since = known?.version === version ? known.since : now()
        watched.set(relay, { version, since })
        return now() - since >= leaseMs
      })
    },
  }
}

export type ClockWatch = ReturnType<typeof createClockWatch>
export type SilenceWatch = ReturnType<typeof createSilenceWatch>
