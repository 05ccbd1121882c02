/** Whether something that this process depends on answers, as its users find out by using it. */
export interface OutageWatch {
  /** It answered. */
  worked(): void
  /** It did not, for this reason. */
  failed(reason: string): void
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
      back(Math.round(performance.now() - awaySince))
      awaySince = undefined
    },
    failed(reason) {
      if (awaySince !== undefined) return
      lost(reason)
      awaySince = performance.now()
    },
  }
}
