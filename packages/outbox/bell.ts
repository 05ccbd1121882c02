/** A bell: `wait` sleeps until it is rung or the time is over. A ring while nobody waits is kept for the next wait. */
export interface Bell {
  ring(): void
  /** Takes back a ring that nobody has heard yet. */
  clear(): void
  /** Resolves after `ms` milliseconds at the latest. */
  wait(ms: number): Promise<void>
}

export function createBell(): Bell {
  let rung = false
  let wake: (() => void) | undefined
  return {
    ring() {
      rung = true
      wake?.()
    },
    clear: () => void (rung = false),
    async wait(ms) {
      if (!rung && ms > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      wake = undefined
      rung = false
    },
  }
}
