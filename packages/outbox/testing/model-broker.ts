import { type OutboxEvent, SEND_TIMEOUT_MS, type SendResult } from '../send.ts'
import { type Fate, type Ledger, sendingOf } from './ledger.ts'
import type { ModelRelay } from './model-relay.ts'

/** A send that has left its relay and has no answer yet. */
export interface Flight {
  relay: ModelRelay
  events: readonly OutboxEvent[]
  since: number
  end(result: SendResult): void
}

/** A broker that answers when it is told to. */
export interface ModelBroker {
  send(relay: ModelRelay, events: readonly OutboxEvent[]): Promise<SendResult>
  /** Of this relay, the oldest first. */
  flightsOf(relay: ModelRelay): Flight[]
  /** Resolves when the relay has done all that follows from the answer. */
  answer(flight: Flight, fates: readonly Fate[]): Promise<void>
}

export function createModelBroker(ledger: Ledger, now: () => number): ModelBroker {
  const flights: Flight[] = []
  return {
    send: (relay, events) =>
      new Promise((end) => {
        if (!relay.alive) return
        // A send that is older than a send may be is that of a frozen relay: the broker has it or has it not by now.
        const young = flights.filter(({ since }) => now() - since < SEND_TIMEOUT_MS).flatMap(({ events }) => events)
        ledger.sent(events, young, relay.known)
        flights.push({ relay, events, since: now(), end })
      }),

    flightsOf: (relay) => flights.filter((flight) => flight.relay === relay),

    async answer(flight, fates) {
      flights.splice(flights.indexOf(flight), 1)
      const result: SendResult = { outcomes: new Map() }
      for (const [index, event] of flight.events.entries()) {
        const fate = fates[index % fates.length]!
        ledger.judged(event, fate)
        if (fate === 'accepted') flight.relay.known.add(sendingOf(event))
        if (fate === 'accepted') result.outcomes.set(event.id, { kind: fate })
        if (fate === 'refused' || fate === 'unacceptable') result.outcomes.set(event.id, { kind: fate, reason: fate })
        if (fate === 'outage') result.outage = 'the broker is unreachable'
      }
      flight.end(result)
      // One turn of the event loop: the relay learns it before the test checks whether it is quiet.
      await new Promise((resolve) => setImmediate(resolve))
      await flight.relay.quiet()
    },
  }
}
