import { setTimeout as sleep } from 'node:timers/promises'
import { outageBackoffMs } from 'outbox'
import type { Consumer } from './consumer.ts'
import { handleEvents } from './handle-events.ts'
import { BATCH_SIZE, type Message, receiveMessages, waitSeconds } from './messages.ts'

/** More of them drain a backlog no faster: by then this process, or SQS, is busy all the time. */
export const MAX_RECEIVERS = 16

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
    for (let failures = 0; !stopping.aborted;) {
      polling += 1
      const { kind } = await receiveOnce(consumer, (messages) => {
        polling -= 1
        const wanted = messages === BATCH_SIZE || (messages > 0 && polling === 0)
        if (wanted && active < most && !stopping.aborted) join()
      })
      if (kind !== 'handled' && active > 1) break
      failures = kind === 'outage' ? failures + 1 : 0
      // The sleep rejects when `stopping` cuts it short, and then the loop ends.
      if (failures > 0) await sleep(outageBackoffMs(failures), undefined, { signal: stopping }).catch(() => {})
    }
    metrics.receivers(--active)
  }

  join()
  while (receivers.size > 0) await Promise.all(receivers)
}

export type Received = { kind: 'handled' } | { kind: 'empty' } | { kind: 'outage' }

/**
 * One poll and all that follows from it. Never rejects because of SQS or the database. `onReceived` is told the number
 * of messages when the poll is over, before they are handled.
 */
export async function receiveOnce(
  consumer: Consumer,
  onReceived: (messages: number) => void = () => {},
): Promise<Received> {
  const { tracing } = consumer
  const polledAt = Date.now()
  let messages: Message[]
  try {
    messages = await receiveMessages(consumer.sqs, consumer.queue)
  } catch (error) {
    onReceived(0)
    consumer.reachable.failed((error as Error).message)
    return { kind: 'outage' }
  }
  consumer.reachable.worked()
  onReceived(messages.length)
  if (messages.length === 0) return { kind: 'empty' }
  const receivedAt = performance.now()
  consumer.metrics.received(messages.map(waitSeconds))
  await handleEvents(consumer, messages, tracing.received(messages, polledAt))
  consumer.metrics.handled((performance.now() - receivedAt) / 1000)
  return { kind: 'handled' }
}
