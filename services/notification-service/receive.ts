import { setTimeout as sleep } from 'node:timers/promises'
import { outageBackoffMs } from '@product-events/outages'
import type { Consumer } from './consumer.ts'
import { handleEvents } from './handle-events.ts'
import { BATCH_SIZE, type Message, receiveMessages, waitSeconds } from './messages.ts'

/** More of them drain a backlog no faster: by then this process, or SQS, is busy all the time. */
export const MAX_RECEIVERS = 16
/**
 * Batches that a receiver may have in hand when it asks for the next: with one, it would ask for nothing while that is
 * stored and deleted, which is half of the time.
 */
export const IN_HAND = 2

/**
 * Receives and handles until `stopping` aborts; resolves when the last polls are over and their messages are finished.
 *
 * One receiver is there always. Another joins when a receive was full, since there may be more, and when nobody is left
 * polling, so that a message does not wait until the batch before it is handled. One leaves when a whole long poll
 * brought it nothing, or when SQS does not answer: one is enough to find out when it does.
 */
export async function runReceivers(consumer: Consumer, most = MAX_RECEIVERS): Promise<void> {
  const { stopping, metrics } = consumer
  const receivers = new Set<Promise<void>>()
  let active = 0
  let polling = 0

  function join(): void {
    metrics.receivers(++active)
    const receiver = runReceiver().finally(() => receivers.delete(receiver))
    receivers.add(receiver)
  }

  async function runReceiver(): Promise<void> {
    const inHand = new Set<Promise<void>>()
    for (let failures = 0; !stopping.aborted;) {
      polling += 1
      const received = await receiveOnce(consumer)
      polling -= 1
      if (received.kind === 'messages') {
        const handled = received.handled.finally(() => inHand.delete(handled))
        inHand.add(handled)
        const wanted = received.full || (polling === 0 && inHand.size === IN_HAND)
        if (wanted && active < most && !stopping.aborted) join()
        if (inHand.size === IN_HAND) await Promise.race(inHand)
      } else if (active > 1) break
      failures = received.kind === 'outage' ? failures + 1 : 0
      // The sleep rejects when `stopping` cuts it short, and then the loop ends.
      if (failures > 0) await sleep(outageBackoffMs(failures), undefined, { signal: stopping }).catch(() => {})
    }
    metrics.receivers(--active)
    await Promise.all(inHand)
  }

  join()
  while (receivers.size > 0) await Promise.all(receivers)
}

export type Received =
  /** `full`: as many as a receive can bring. `handled` resolves when all that follows from them is done. */
  { kind: 'messages'; full: boolean; handled: Promise<void> } | { kind: 'empty' } | { kind: 'outage' }

/** One poll. Neither it nor `handled` rejects because of SQS or the database. */
export async function receiveOnce(consumer: Consumer): Promise<Received> {
  const polledAt = Date.now()
  let messages: Message[]
  try {
    messages = await receiveMessages(consumer.sqs, consumer.queue)
  } catch (error) {
    consumer.reachable.failed((error as Error).message)
    return { kind: 'outage' }
  }
  consumer.reachable.worked()
  if (messages.length === 0) return { kind: 'empty' }
  return { kind: 'messages', full: messages.length === BATCH_SIZE, handled: handle(consumer, messages, polledAt) }
}

async function handle(consumer: Consumer, messages: Message[], polledAt: number): Promise<void> {
  const receivedAt = performance.now()
  consumer.metrics.received(messages.map(waitSeconds))
  await handleEvents(consumer, messages, consumer.tracing.received(messages, polledAt))
  consumer.metrics.handled((performance.now() - receivedAt) / 1000)
}
