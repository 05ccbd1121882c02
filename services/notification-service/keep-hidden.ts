import type { Consumer } from './consumer.ts'
import { hideMessages, type Message } from './messages.ts'

/** Messages are hidden anew this often within their visibility timeout, so that one lost call does not reveal them. */
const EXTENSIONS_PER_TIMEOUT = 3

/**
 * Keeps messages hidden from other receivers until the function that it returns is called, which resolves when no
 * extension is under way any more. A message whose extension SQS refuses is given up: somebody else may have it by then
 * (SQS hides none for longer than 12 hours), and storing it twice changes nothing.
 */
export function keepHidden(
  { sqs, queue, log, reachable }: Pick<Consumer, 'sqs' | 'queue' | 'log' | 'reachable'>,
  messages: readonly Message[],
): () => Promise<void> {
  const seconds = queue.visibilityTimeoutSeconds
  let held = messages
  let extension = Promise.resolve()
  const timer = setInterval(
    () => {
      extension = extend()
    },
    (seconds * 1000) / EXTENSIONS_PER_TIMEOUT,
  )

  async function extend(): Promise<void> {
    try {
      const failed = await hideMessages(sqs, queue, held, seconds)
      if (failed.length === 0) return
      log.notHidden(failed)
      const lost = new Set(failed.map((entry) => entry.message_id))
      held = held.filter((message) => !lost.has(message.MessageId ?? ''))
    } catch (error) {
      reachable.failed((error as Error).message)
    }
  }

  return async () => {
    clearInterval(timer)
    await extension
  }
}
