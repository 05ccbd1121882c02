/** The pause between two reads, which a wake-up ends early. */
export interface WakeableRest {
  /** Ends the rest that goes on, or the next one as soon as it begins. */
  wake(): void
  /** The next read sees every notification that was stored before now. */
  forgetWakeUps(): void
  /** Resolves after that many milliseconds, or when it is woken. Reaches the event loop in any case. */
  begin(pauseMs: number): Promise<void>
}

/** After `signal` aborts, no rest takes any time. */
export function createWakeableRest(signal: AbortSignal): WakeableRest {
  let woken = false
  let end = () => {}
  signal.addEventListener('abort', () => end())
  return {
    wake() {
      woken = true
      end()
    },
    forgetWakeUps() {
      woken = false
    },
    begin(pauseMs) {
      return new Promise((resolve) => {
        const timer = setTimeout(() => end(), pauseMs)
        end = () => {
          end = () => {}
          clearTimeout(timer)
          setImmediate(resolve)
        }
        if (woken || signal.aborted || pauseMs === 0) end()
      })
    },
  }
}
