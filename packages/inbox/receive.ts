import { setTimeout as sleep } from 'node:timers/promises'
import type { InboxEvent, Message } from './event.ts'
import { handleBatch, type Receiving } from './handle-batch.ts'
import { BATCH_SIZE, IN_HAND, MAX_RECEIVERS } from './limits.ts'

/**
 * A poll without messages lasts `LONG_POLL_SECONDS`. One that ends at once, from a proxy say, must not become a hot
 * loop.
 */
const LEAST_EMPTY_POLL_MS = 100

/**
 * Receives and handles until `stopping` aborts; resolves when the last polls are over and their messages are finished.
 *
 * One receiver is always there. Another joins when a receive was full, since there may be more, and when no receiver is
 * left polling, so that a message does not wait until the batch before it is handled. One leaves when a whole long poll
 * brought it nothing, or when SQS does not answer: one is enough to find out when it does.
 */
export async function runReceivers<Event extends InboxEvent>(
  receiving: Receiving<Event>,
  most = MAX_RECEIVERS,
): Promise<void> {
  const { stopping, reachable, report, guard } = receiving
  const receivers = new Set<Promise<void>>()
  let active = 0
  let polling = 0

  function join(): void {
    active += 1
    guard(() => report({ kind: 'receivers', active }))
    const receiver = runReceiver().finally(() => receivers.delete(receiver))
    receivers.add(receiver)
  }

  async function runReceiver(): Promise<void> {
    const inHand = new Set<Promise<void>>()
    while (!stopping.aborted) {
      polling += 1
      const received = await receiveOnce(receiving)
      polling -= 1
      if (received.kind === 'messages') {
        const handled = received.handled.finally(() => inHand.delete(handled))
        inHand.add(handled)
        const wanted = received.messages === BATCH_SIZE || (polling === 0 && inHand.size === IN_HAND)
        if (wanted && active < most && !stopping.aborted) join()
        if (inHand.size === IN_HAND) await Promise.race(inHand)
      } else if (active > 1) break
      if (received.kind === 'outage') await rest(Math.max(1, reachable.pauseMs()))
      if (received.kind === 'empty' && received.pollMs < LEAST_EMPTY_POLL_MS) await rest(LEAST_EMPTY_POLL_MS)
    }
    active -= 1
    guard(() => report({ kind: 'receivers', active }))
    await Promise.all(inHand)
  }

  async function rest(ms: number): Promise<void> {
    // The sleep rejects when `stopping` cuts it short, and then the loop ends.
    await sleep(ms, undefined, { signal: stopping }).catch(() => {})
  }

  join()
  while (receivers.size > 0) await Promise.all(receivers)
}

export type Received =
  /** `handled` resolves when all that follows from them is done. */
  | { kind: 'messages'; messages: number; handled: Promise<void> }
  | { kind: 'empty'; pollMs: number }
  | { kind: 'outage' }

/** One poll. Neither it nor `handled` rejects because of SQS or the database. */
export async function receiveOnce<Event extends InboxEvent>(receiving: Receiving<Event>): Promise<Received> {
  const { queue, reachable, guard, report, tracing } = receiving
  const polledAt = Date.now()
  const from = performance.now()
  let messages: Message[]
  try {
    messages = await queue.receive()
  } catch (error) {
    receiving.queueFailed(error)
    return { kind: 'outage' }
  }
  reachable.worked()
  if (messages.length === 0) return { kind: 'empty', pollMs: performance.now() - from }
  guard(() => report({ kind: 'received', messages }))
  guard(() => tracing.received(messages, polledAt))
  return { kind: 'messages', messages: messages.length, handled: handleBatch(receiving, messages) }
}
