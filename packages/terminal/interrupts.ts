/**
 * One Ctrl-C arrives twice when a command runs through npm: from the terminal, and from npm, which passes it on. A
 * signal that comes later than this is a second press of a person who does not want to wait.
 */
const SAME_PRESS_MS = 1_000
/** By convention of shells: ended by SIGINT. */
const INTERRUPTED = 130

export interface Interrupts {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  signal: AbortSignal
  /** Gives the signals back to the system. */
  close: () => void
}

/** Takes over SIGINT, SIGTERM and SIGHUP: the first press aborts `signal`, a second one ends the process with 130. */
export function listenForInterrupts(): Interrupts {
  const stopping = new AbortController()
  let pressedAt: number | undefined
  const onSignal = () => {
    pressedAt ??= performance.now()
    if (performance.now() - pressedAt > SAME_PRESS_MS) process.exit(INTERRUPTED)
    stopping.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return {
    signal: stopping.signal,
    close: () => signals.forEach((signal) => process.removeListener(signal, onSignal)),
  }
}
