/** Whether something that this process depends on answers, as its users find out by using it. */
export interface Reachability {
  /** It answered. */
  worked(): void
  /** It did not, for this reason. */
  failed(reason: string): void
  /** Why it does not answer; undefined when it does. */
  missing(): string | undefined
}

export interface ReachabilityEvents {
  lost: (reason: string) => void
  back: (secondsAway: number) => void
}

/** Calls `lost` and `back` once for each change of state, however many users fail and for however long. */
export function reachability({ lost, back }: ReachabilityEvents): Reachability {
  let away: { reason: string; since: number } | undefined
  return {
    worked() {
      if (!away) return
      back(Math.round((performance.now() - away.since) / 1000))
      away = undefined
    },
    failed(reason) {
      if (!away) lost(reason)
      away = { reason, since: away?.since ?? performance.now() }
    },
    missing: () => away?.reason,
  }
}
