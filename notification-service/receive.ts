import { setTimeout as sleep } from 'node:timers/promises'
import { backoff } from './backoff.ts'
import type { Consumer } from './consumer.ts'
import { handleEvents } from './handle-events.ts'
import { type Message, receiveMessages } from './messages.ts'

/**
 * How many receives are under way at once. Four keep the database busy while others wait for SQS; what an idle one costs
 * stands at `LONG_POLL_SECONDS`.
 */
export const RECEIVERS = 4

/** Receives and handles until `stopping` aborts; resolves when the last poll is over and its messages are finished. */
export async function runReceivers(consumer: Consumer, count = RECEIVERS): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => runReceiver(consumer)))
}

async function runReceiver(consumer: Consumer): Promise<void> {
  const { stopping } = consumer
  for (let failures = 0; !stopping.aborted;) {
    const { kind } = await receiveOnce(consumer)
    failures = kind === 'outage' ? failures + 1 : 0
    // The sleep rejects when `stopping` cuts it short, and then the loop ends.
    if (failures > 0) await sleep(backoff(failures), undefined, { signal: stopping }).catch(() => {})
  }
}

/** One poll and all that follows from it. Never rejects because of SQS or the database. */
export async function receiveOnce(
  consumer: Consumer,
): Promise<{ kind: 'received'; messages: number } | { kind: 'outage' }> {
  let messages: Message[]
  try {
    messages = await receiveMessages(consumer.sqs, consumer.queue)
  } catch (error) {
    consumer.reachable.sqs.failed((error as Error).message)
    return { kind: 'outage' }
  }
  consumer.reachable.sqs.worked()
  await handleEvents(consumer, messages)
  return { kind: 'received', messages: messages.length }
}
