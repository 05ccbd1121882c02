/** Whether something that this process depends on answers, as its users find out by using it. */
export interface Reachability {
  /** It answered. */
  worked(): void
  /** It did not, for this reason. */
  failed(reason: string): void
}

export interface ReachabilityEvents {
  lost: (reason: string) => void
  back: (secondsAway: number) => void
}

/** Calls `lost` and `back` once for each change of state, however many users fail and for however long. */
export function reachability({ lost, back }: ReachabilityEvents): Reachability {
  let awaySince: number | undefined
  return {
    worked() {
      if (awaySince === undefined) return
      back(Math.round((performance.now() - awaySince) / 1000))
      awaySince = undefined
    },
    failed(reason) {
      if (awaySince !== undefined) return
      lost(reason)
      awaySince = performance.now()
    },
  }
}
