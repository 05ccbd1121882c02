import { setTimeout as sleep } from 'node:timers/promises'
import { StartError } from './start-error.ts'

/**
 * Containers that start together are up within seconds of each other; one that takes longer than this is not coming.
 */
const GIVE_UP_AFTER_MS = 30_000
/** Too short to be noticed, and long enough not to be a load. */
const RETRY_EVERY_MS = 250
/** The log names the missing part, but not four times a second. */
const REPORT_EVERY_MS = 3_000

export interface WaitOptions {
  /** The part that is waited for, as logged: `PostgreSQL at postgres://localhost:5432/products`. */
  what: string
  /** Called with the reason at once and then every three seconds for as long as it takes. */
  onWaiting: (what: string, reason: string) => void
  /** Is waiting of any use? A wrong password does not become right. */
  isTemporary?: (error: Error) => boolean
  giveUpAfterMs?: number
  signal?: AbortSignal
}

/**
 * Runs `attempt` until it succeeds. Throws a `StartError` that names `what` and the last reason when that takes longer
 * than `giveUpAfterMs` (30 seconds), or at once when the failure is not temporary; what `signal` gives when it aborts.
 */
export async function waitUntilUp<Result>(attempt: () => Promise<Result>, options: WaitOptions): Promise<Result> {
  const { what, onWaiting, isTemporary = () => true, giveUpAfterMs = GIVE_UP_AFTER_MS, signal } = options
  const started = performance.now()
  let reported = -Infinity
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (thrown) {
      const error = thrown as Error
      const now = performance.now()
      if (!isTemporary(error)) throw new StartError(`${what} can't be used: ${reasonOf(error)}`)
      if (now - started >= giveUpAfterMs)
        throw new StartError(
          `${what} can't be used, and did not get better in ${giveUpAfterMs / 1000} s: ${reasonOf(error)}`,
        )
      if (now - reported >= REPORT_EVERY_MS) {
        onWaiting(what, reasonOf(error))
        reported = now
      }
    }
    await sleep(RETRY_EVERY_MS, undefined, signal ? { signal } : {})
  }
}

/** A connection tried at several addresses fails with an AggregateError, whose own message is empty. */
function reasonOf(error: Error & { code?: string }): string {
  const reason = error.message || (error instanceof AggregateError && (error.errors[0] as Error).message)
  return (reason || error.code || error.name).replaceAll(/\s+/g, ' ')
}
