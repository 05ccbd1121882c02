/**
 * Reports when an endpoint begins to refuse deliveries and when it accepts them again: a line a change, not one a try.
 */
export interface EndpointWatch {
  accepted(): void
  refused(reason: string): void
  /** Ends what it waits for. */
  close(): void
}

export interface EndpointEvents {
  refuses: (reason: string) => void
  /** `refusedMs`: milliseconds since the first refusal. */
  acceptsAgain: (refusedMs: number) => void
}

/** An endpoint that accepts one delivery and refuses the next changes its state when it has accepted for this long. */
export const QUIET_MS = 10_000

export function createEndpointWatch({ refuses, acceptsAgain }: EndpointEvents, quietMs = QUIET_MS): EndpointWatch {
  let refusesSince: number | undefined
  let timer: NodeJS.Timeout | undefined

  function recovered(since: number): void {
    timer = undefined
    refusesSince = undefined
    acceptsAgain(Math.round(performance.now() - since))
  }

  return {
    accepted() {
      if (refusesSince === undefined || timer !== undefined) return
      timer = setTimeout(recovered, quietMs, refusesSince)
    },
    refused(reason) {
      clearTimeout(timer)
      timer = undefined
      if (refusesSince !== undefined) return
      refusesSince = performance.now()
      refuses(reason)
    },
    close() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
