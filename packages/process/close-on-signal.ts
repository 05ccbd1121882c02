/** An orchestrator grants at least 10 s before it kills; this leaves time to log and exit. */
const DEADLINE_MS = 9_500

export interface CloseOptions {
  /** Closes everything. Called once. */
  close: () => Promise<void>
  onSignal: (signal: string) => void
  /** An error that nothing caught: the process closes in order and exits with 1. */
  onCrash: (error: Error) => void
  onClosed: () => void
}

let closing = false

/** True from the first signal, or the first error that nothing caught, on. */
export function isClosing(): boolean {
  return closing
}

/**
 * On the first SIGTERM or SIGINT: closes and exits with 0, or with 1 when that fails or takes longer than 9.5 s.
 * Further signals change nothing: Ctrl-C reaches a whole process group, and a supervisor then sends its own.
 */
export function closeOnSignal({ close, onSignal, onCrash, onClosed }: CloseOptions): void {
  const exitAfterClose = async (code: 0 | 1) => {
    if (closing) return
    closing = true
    setTimeout(() => process.exit(1), DEADLINE_MS)
    try {
      await close()
    } catch (error) {
      onCrash(error as Error)
      process.exit(1)
    }
    onClosed()
    process.exit(code)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Those of `runProgram`, which end the process at once.
    const early = process.listeners(signal)
    process.on(signal, () => {
      if (!closing) onSignal(signal)
      void exitAfterClose(0)
    })
    // Only now: with the last listener a signal that has arrived and is not dispatched yet would be lost.
    for (const listener of early) process.removeListener(signal, listener)
  }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: Error) => {
      onCrash(error)
      void exitAfterClose(1)
    })
  }
}
