import { setTimeout as sleep } from 'node:timers/promises'

export interface Repeated {
  /** One bounded pass. Resolves with the milliseconds until the next one. */
  pass: (signal: AbortSignal) => Promise<number>
  /** Milliseconds until the next pass after one that failed. */
  retryMs: number
  /** Called with the error of each failed pass. */
  onFailed: (error: unknown) => void
  signal: AbortSignal
}

/**
 * Runs `pass` again and again until `signal` aborts, one at a time, and resolves when the last one is over. Every round
 * reaches the event loop, also when a pass asks for no pause. Never rejects.
 */
export async function repeat({ pass, retryMs, onFailed, signal }: Repeated): Promise<void> {
  while (!signal.aborted) {
    let pauseMs = retryMs
    try {
      pauseMs = await pass(signal)
    } catch (error) {
      onFailed(error)
    }
    await sleep(Math.max(1, pauseMs), undefined, { signal }).catch(() => {})
  }
}
