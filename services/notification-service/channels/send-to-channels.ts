import type { Outcome, OutboxEvent, Send } from '@product-events/outbox'
import { type Destination, type DeliveryOutcome, nameOf } from './delivery.ts'
import type { DisabledEndpoints } from './disabled-endpoints.ts'
import { createGate, type Gate } from './gate.ts'
import type { ChannelMetrics } from './metrics.ts'

/** With the three seconds that a try may take this stays below the relay's SEND_TIMEOUT_MS of five. */
const LONGEST_WAIT_MS = 1_500

/** A configured destination, and how it is reached. */
export interface Channel extends Destination {
  /** Tries under way at once. */
  limit: number
  deliver(event: OutboxEvent): Promise<DeliveryOutcome>
}

export interface SendOptions {
  channels: readonly Channel[]
  disabled: DisabledEndpoints
  metrics: ChannelMetrics
  /** Called when an endpoint has been disabled, once for all instances. */
  onDisabled: (destination: Destination, reason: string) => void
}

/**
 * The `Send` of the notifications' outbox: each event goes to the destination in its headers. It knows no outage: that
 * one endpoint is down is no reason to rest for the others.
 */
export function sendToChannels(options: SendOptions): Send {
  const { channels, disabled, metrics } = options
  const doors = new Map<string, { channel: Channel; gate: Gate }>(
    channels.map((channel) => [
      nameOf(channel),
      { channel, gate: createGate({ limit: channel.limit, longestWaitMs: LONGEST_WAIT_MS }) },
    ]),
  )

  async function tryOnce(event: OutboxEvent): Promise<Outcome> {
    const name = `${event.headers.channel}:${event.headers.endpoint}`
    const door = doors.get(name)
    // Refused, not dead: another instance, or this one after the next start, may know it.
    if (!door) return { kind: 'refused', reason: `${name} is not configured, or not any more` }
    if ((await disabled.names()).has(name)) return { kind: 'unacceptable', reason: 'endpoint disabled' }
    const visit = await door.gate.visit(() => door.channel.deliver(event))
    if (visit.kind === 'busy') {
      metrics.tried(door.channel, 'postponed')
      return { kind: 'postponed', reason: 'the endpoint is busy with others', delayMs: visit.delayMs }
    }
    const outcome = visit.result.kind === 'gone' ? await disable(door.channel, visit.result.reason) : visit.result
    metrics.tried(door.channel, outcome.kind)
    return outcome
  }

  async function disable(channel: Channel, reason: string): Promise<Exclude<DeliveryOutcome, { kind: 'gone' }>> {
    if (await disabled.add(nameOf(channel), reason)) {
      metrics.disabled(channel)
      options.onDisabled(channel, reason)
    }
    return { kind: 'unacceptable', reason: `endpoint disabled: ${reason}` }
  }

  return async (events) => {
    const outcomes = new Map<string, Outcome>()
    await Promise.all(events.map(async (event) => outcomes.set(event.id, await tryOnce(event))))
    return { outcomes }
  }
}
