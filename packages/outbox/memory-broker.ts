import type { OutboxEvent, Outcome, Send, SendResult } from './send.ts'

/** An event that a broker in memory received. */
export interface PublishedEvent {
  id: string
  key: string
  type: string
  payload: unknown
  headers: Record<string, string>
}

/** A broker in the memory of a test. Needs neither AWS nor an emulator. */
export interface MemoryBroker {
  /** For `createRelay`. */
  send: Send
  /** Events that were accepted, in the order in which they arrived. A resent event is there twice. */
  published(): readonly PublishedEvent[]
  /** Forgets the accepted events. */
  clear(): void
}

export interface MemoryBrokerOptions {
  /** Decides about an event; `undefined` accepts it. An error that it throws is an outage of the broker. */
  judge?: (event: PublishedEvent) => Outcome | undefined
}

/** Creates a broker that accepts every event, or fails as `judge` says. */
export function createMemoryBroker({ judge = () => undefined }: MemoryBrokerOptions = {}): MemoryBroker {
  let published: PublishedEvent[] = []
  return {
    published: () => published,
    clear: () => void (published = []),
    send: async (events) =>
      judgeEach(events, (event) => {
        const seen = seenOf(event)
        const outcome = judge(seen) ?? { kind: 'accepted' }
        if (outcome.kind === 'accepted') published.push(seen)
        return outcome
      }),
  }
}

/** Answers as a broker for which `judge` decides about each event. An error that it throws is an outage. */
export function judgeEach(events: readonly OutboxEvent[], judge: (event: OutboxEvent) => Outcome): SendResult {
  const result: SendResult = { outcomes: new Map() }
  for (const event of events) {
    try {
      result.outcomes.set(event.id, judge(event))
    } catch (error) {
      result.outage = (error as Error).message
    }
  }
  return result
}

function seenOf({ eventId, key, type, payload, headers }: OutboxEvent): PublishedEvent {
  return { id: eventId, key, type, payload: JSON.parse(payload) as unknown, headers }
}
