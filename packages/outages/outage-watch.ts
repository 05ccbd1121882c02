/** Reports when a dependency becomes unusable and when it works again, as its users find out by using it. */
export interface OutageWatch {
  /** A call succeeded. */
  worked(): void
  /** A call failed for a reason that is the dependency's. */
  failed(reason: string): void
  /** True from the first failure to the next success. */
  isAway(): boolean
}

export interface OutageEvents {
  lost: (reason: string) => void
  /** `awayMs`: milliseconds since the first failure. */
  back: (awayMs: number) => void
}

/** Calls `lost` and `back` once for each change of state, however many users fail and for however long. */
export function createOutageWatch({ lost, back }: OutageEvents): OutageWatch {
  let awaySince: number | undefined
  return {
    worked() {
      if (awaySince === undefined) return
      const awayMs = Math.round(performance.now() - awaySince)
      awaySince = undefined
      back(awayMs)
    },
    failed(reason) {
      if (awaySince !== undefined) return
      awaySince = performance.now()
      lost(reason)
    },
    isAway: () => awaySince !== undefined,
  }
}
