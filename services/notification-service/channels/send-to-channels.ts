import type { OutboxEvent, Send } from '@product-events/outbox'
import { type DeliveryOutcome, type Destination, nameOf, type TryOutcome } from './delivery.ts'
import type { DisabledEndpoints } from './disabled-endpoints.ts'
import type { EndpointWatch } from './endpoint-watch.ts'
import type { ChannelMetrics } from './metrics.ts'
import { refused, unacceptable } from './outcomes.ts'

/** A configured endpoint, and how it is reached. */
export interface Channel extends Omit<Destination, 'recipient'> {
  /** The addresses that get a delivery each; undefined where the endpoint gets one. */
  recipients?: readonly string[]
  /** One try. Settles within the relay's send timeout. */
  deliver(event: OutboxEvent): Promise<DeliveryOutcome>
}

export interface SendOptions {
  channels: readonly Channel[]
  disabled: DisabledEndpoints
  metrics: ChannelMetrics
  watchOf: (channel: Channel) => EndpointWatch
  /** Called for each delivery whose endpoint, or recipient, is not among `channels`. */
  onUnknown: (event: OutboxEvent, reason: string) => void
  /** Called when an endpoint has been disabled, once for all instances. */
  onDisabled: (destination: Destination, reason: string) => void
}

/**
 * The `Send` of the notifications' outbox: each event goes to the destination in its headers. It never rejects and
 * reports no outage: one endpoint that is down must not make the others rest.
 */
export function sendToChannels(options: SendOptions): Send {
  const { channels, disabled, metrics, watchOf, onUnknown, onDisabled } = options
  const byName = new Map(channels.map((channel) => [nameOf(channel), { channel, watch: watchOf(channel) }]))

  async function tryOnce(event: OutboxEvent): Promise<TryOutcome> {
    const { headers } = event
    const name = `${headers.channel}:${headers.endpoint}`
    const found = byName.get(name)
    if (!found) return unknown(event, `${name} is not configured, or not any more`)
    const { channel, watch } = found
    if (headers.recipient !== undefined && !channel.recipients?.includes(headers.recipient))
      return unknown(event, `${headers.recipient} is not a recipient of ${name}, or not any more`)
    if ((await disabled.names()).has(name)) return unacceptable('endpoint disabled')
    const outcome = await settled(channel, await deliver(channel, event))
    observe(() => {
      metrics.tried(channel, outcome.kind)
      if (outcome.kind === 'accepted') watch.accepted()
      if (outcome.kind === 'refused') watch.refused(outcome.reason)
    })
    return outcome
  }

  /** Refused, not abandoned: another instance, or this one after the next start, may know the endpoint. */
  function unknown(event: OutboxEvent, reason: string): TryOutcome {
    observe(() => onUnknown(event, reason))
    return refused(reason)
  }

  async function settled(channel: Channel, outcome: DeliveryOutcome): Promise<TryOutcome> {
    if (outcome.kind !== 'gone') return outcome
    try {
      if (await disabled.add(nameOf(channel), outcome.reason))
        observe(() => {
          metrics.disabled(channel)
          onDisabled(channel, outcome.reason)
        })
      return unacceptable(`endpoint disabled: ${outcome.reason}`)
    } catch (error) {
      return refused(`${outcome.reason}, but it could not be disabled: ${(error as Error).message}`)
    }
  }

  return async (events) => {
    const outcomes = new Map<string, TryOutcome>()
    await Promise.all(events.map(async (event) => outcomes.set(event.id, await tryOnce(event))))
    return { outcomes }
  }
}

/** An exception of ours is the delivery's failure, with an end: as an outage it would stop every channel for good. */
async function deliver(channel: Channel, event: OutboxEvent): Promise<DeliveryOutcome> {
  try {
    return await channel.deliver(event)
  } catch (error) {
    return refused(`an error in notification-service: ${(error as Error).message}`)
  }
}

/** Metrics and log lines never change what becomes of a delivery. */
function observe(report: () => void): void {
  try {
    report()
  } catch {
    // An exception is the only way to report it.
  }
}
