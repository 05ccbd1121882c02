import { Counter, type Registry } from '@product-events/telemetry'
import type { Destination } from './delivery.ts'

/** Tries to deliver, by what came of them. `postponed`: not tried, the endpoint was too busy. */
const OUTCOMES = ['accepted', 'refused', 'unacceptable', 'postponed'] as const
export type CountedOutcome = (typeof OUTCOMES)[number]

export type ChannelMetrics = ReturnType<typeof createChannelMetrics>

/** Labels are bounded: destinations are those of the configuration. */
export function createChannelMetrics(registry: Registry, destinations: readonly Destination[]) {
  const registers = [registry]
  const deliveries = new Counter({
    name: 'channel_deliveries_total',
    help: 'Tries to deliver a notification to a channel, by their outcome.',
    labelNames: ['channel', 'endpoint', 'outcome'] as const,
    registers,
  })
  const disabled = new Counter({
    name: 'channel_endpoints_disabled_total',
    help: 'Endpoints that this process disabled, because they answered 410 Gone.',
    labelNames: ['endpoint'] as const,
    registers,
  })
  for (const { channel, endpoint } of destinations) {
    for (const outcome of OUTCOMES) deliveries.inc({ channel, endpoint, outcome }, 0)
  }
  return {
    tried: ({ channel, endpoint }: Destination, outcome: CountedOutcome) =>
      deliveries.inc({ channel, endpoint, outcome }),
    disabled: ({ endpoint }: Destination) => disabled.inc({ endpoint }),
  }
}
