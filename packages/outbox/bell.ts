/** A bell: `wait` sleeps until it is rung or the time is over. A ring while nothing waits is kept for the next wait. */
export interface Bell {
  ring(): void
  /** Forgets a ring that was not waited for yet. */
  clear(): void
  /**
   * Resolves after `ms` milliseconds at the latest, and never before the event loop has turned: a loop may rely on it.
   */
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
      if (rung || ms <= 0) await new Promise<void>((resolve) => setImmediate(resolve))
      else {
        await new Promise<void>((resolve) => {
          // Node cuts off fractions and counts whole milliseconds: a timer that is early finds nothing due, and wakes
          // twice.
          const timer = setTimeout(resolve, Math.ceil(ms) + 1)
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
