import type { SQSClient } from '@aws-sdk/client-sqs'
import { isNoQueue, makeMissing } from './find-or-create.ts'

/** AWS refuses to make a queue again within a minute of its deletion; an emulator that restarted makes it at once. */
const COOLDOWN_MS = 2_000

/**
 * Makes the queue of that name, or its dead-letter queue, again when a call finds that it is gone: deleted, or lost
 * by an emulator that restarted. `onMade` is called when it is there again. It must be called before the client's first
 * command, and watches from `begin` on: a queue that is not there at the start is not gone.
 */
export function makeAgainWhenGone(sqs: SQSClient, name: string, onMade: () => void): { begin: () => void } {
  let tryAgainAt = Infinity
  async function makeAgain(): Promise<void> {
    if (performance.now() < tryAgainAt) return
    tryAgainAt = Infinity
    try {
      if (await makeMissing(sqs, name)) onMade()
    } catch {
      // The next call that finds it gone tries again.
    }
    tryAgainAt = performance.now() + COOLDOWN_MS
  }
  sqs.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args)
      } catch (error) {
        if (isNoQueue(error)) void makeAgain()
        throw error
      }
    },
    { step: 'initialize', name: 'makeAgainWhenGone' },
  )
  return { begin: () => void (tryAgainAt = 0) }
}
