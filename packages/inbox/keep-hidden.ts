import type { Message } from './event.ts'
import type { FailedEntry, Queue } from './messages.ts'

/** Messages are hidden again this often within their visibility timeout, so that one lost call does not reveal them. */
const EXTENSIONS_PER_TIMEOUT = 3

export interface Hidden {
  /** These are kept hidden no longer. Resolves when no extension of them is under way. */
  release(messages: readonly Message[]): Promise<void>
}

export interface HiddenEvents {
  notHidden: (entries: readonly FailedEntry[]) => void
  failed: (error: Error) => void
}

/**
 * Keeps messages hidden from other receivers until they are released. A message whose extension SQS refuses is given
 * up: another receiver may have it by then (SQS hides none for longer than 12 hours), and storing it twice changes
 * nothing.
 */
export function keepHidden(queue: Queue, messages: readonly Message[], { notHidden, failed }: HiddenEvents): Hidden {
  const seconds = queue.visibilityTimeoutSeconds
  let held = messages
  let extension: Promise<void> | undefined
  const timer = setInterval(
    // A call that takes longer than an interval is not followed by a second one.
    () => {
      extension ??= extend().finally(() => (extension = undefined))
    },
    (seconds * 1000) / EXTENSIONS_PER_TIMEOUT,
  )

  async function extend(): Promise<void> {
    try {
      // One that SQS only could not extend just now is tried again, before its time is over.
      const lost = (await queue.hide(held, seconds)).filter((entry) => !entry.retry)
      if (lost.length === 0) return
      notHidden(lost)
      const ids = new Set(lost.map((entry) => entry.message_id))
      held = held.filter((message) => !ids.has(message.MessageId ?? ''))
    } catch (error) {
      failed(error as Error)
    }
  }

  return {
    async release(released) {
      const gone = new Set(released)
      held = held.filter((message) => !gone.has(message))
      if (held.length === 0) clearInterval(timer)
      await extension
    },
  }
}
