import type { OutboxEvent } from '@product-events/outbox'
import type { DeliveryOutcome } from './delivery.ts'
import { refused } from './outcomes.ts'
import type { Deliver } from './trace-deliveries.ts'

/** A send of the relay ends within five seconds. */
const PATIENCE_MS = 3_000
/** Then the relay hands the event over again. */
const ASK_AGAIN_MS = 2_000

export interface LongDeliveries {
  deliver: Deliver
  /**
   * To be called when the relay has ended and every try ends: resolves with the accepted events that it does not know
   * of.
   */
  close(): Promise<OutboxEvent[]>
}

interface Try {
  event: OutboxEvent
  outcome: Promise<DeliveryOutcome>
  timer: NodeJS.Timeout
}

/**
 * `deliver` for tries that outlast a send of the relay. A try that is not over after three seconds goes on, and its
 * event is postponed; when the relay hands that event over again, it gets the outcome of the same try. So no second try
 * begins beside the first in this process, and none is cut off in favour of a second one.
 *
 * `longestMs` bounds how long an outcome is kept that the relay does not ask for: another instance has its lane by
 * then.
 */
export function outlastSends(deliver: Deliver, longestMs: number): LongDeliveries {
  const tries = new Map<string, Try>()

  function begin(key: string, event: OutboxEvent): Promise<DeliveryOutcome> {
    const outcome = deliver(event).catch((error: Error) => refused(error.message))
    tries.set(key, { event, outcome, timer: setTimeout(forget, longestMs, key) })
    return outcome
  }

  function forget(key: string): void {
    clearTimeout(tries.get(key)?.timer)
    tries.delete(key)
  }

  return {
    async deliver(event) {
      // A redriven event, or one whose try was settled, gets a new try.
      const key = `${event.id} ${event.eventId} ${event.attempts} ${event.redriven}`
      const outcome = await withinPatience(tries.get(key)?.outcome ?? begin(key, event))
      if (outcome === undefined)
        return { kind: 'postponed', reason: 'the try is still under way', delayMs: ASK_AGAIN_MS }
      forget(key)
      return outcome
    },
    async close() {
      const begun = [...tries.values()]
      for (const key of tries.keys()) forget(key)
      const outcomes = await Promise.all(begun.map(({ outcome }) => outcome))
      return begun.map(({ event }) => event).filter((_, index) => outcomes[index]?.kind === 'accepted')
    },
  }
}

async function withinPatience(begun: Promise<DeliveryOutcome>): Promise<DeliveryOutcome | undefined> {
  const { promise: enough, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, PATIENCE_MS, undefined)
  try {
    return await Promise.race([begun, enough])
  } finally {
    clearTimeout(timer)
  }
}
