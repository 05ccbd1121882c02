import type { OutboxEvent, Outcome, Send, SendResult } from './send.ts'

/** What a broker in memory was sent. */
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
  /** Forgets what was accepted. */
  clear(): void
}

export interface MemoryBrokerOptions {
  /** What becomes of an event; `undefined` accepts it. An error that it throws is an outage of the broker. */
  judge?: (event: PublishedEvent) => Outcome | undefined
}

/** Creates a broker that accepts every event, or fails as `judge` says. */
export function createMemoryBroker({ judge = () => undefined }: MemoryBrokerOptions = {}): MemoryBroker {
  let published: PublishedEvent[] = []
  return {
    published: () => published,
    clear: () => void (published = []),
    async send(events) {
      const result: SendResult = { outcomes: new Map() }
      for (const event of events) {
        const seen = seenOf(event)
        try {
          const outcome = judge(seen) ?? { kind: 'accepted' }
          if (outcome.kind === 'accepted') published.push(seen)
          result.outcomes.set(event.id, outcome)
        } catch (error) {
          result.outage = (error as Error).message
        }
      }
      return result
    },
  }
}

function seenOf({ eventId, key, type, payload, headers }: OutboxEvent): PublishedEvent {
  return { id: eventId, key, type, payload: JSON.parse(payload) as unknown, headers }
}
