import { createOutboxMetrics, createRelay, type RelayReport } from '@product-events/outbox'
import type pg from 'pg'
import type { Registry } from '@product-events/telemetry'
import type { ChannelsConfig } from './config.ts'
import { disabledEndpoints } from './disabled-endpoints.ts'
import { emailChannel } from './email.ts'
import type { ChannelLogLines } from './log-lines.ts'
import { createChannelMetrics } from './metrics.ts'
import { type Channel, sendToChannels } from './send-to-channels.ts'
import type { Outgoing } from './store-with-deliveries.ts'
import { traceDeliveries } from './trace-deliveries.ts'
import { webhookChannel } from './webhook.ts'

/** Whose outbox it is: the same in every instance. */
export const OWNER = 'notification-service'
/** What one endpoint gets at once: enough for a few hundred a second, little enough for any server. */
const WEBHOOK_LIMIT = 8
/** Mail servers count connections, and rebuff who opens many. */
const EMAIL_LIMIT = 2
/**
 * Retries are due from a second on, and nobody nudges for them. A poll would come too late: the relay polls between its
 * cycles, and a cycle lasts as long as the slowest try in it.
 */
const LOOK_FOR_RETRIES_MS = 1_000
/**
 * Sends are promises that mostly wait at the gate of their destination, for 1.5 s at the longest; so many that a slow
 * destination can't take all of them.
 */
const IN_FLIGHT = 4_000
/**
 * A receiver may be down over night and be mended the day after: about a day, since after the first hour the tries
 * are half an hour to an hour apart.
 */
const RETRIES = { maxAttempts: 40, longestPauseMs: 60 * 60_000 }

export interface Channels {
  /** Undefined when no channel is configured. */
  outgoing: Outgoing | undefined
  /** Ends once nothing is on its way any more; what is not delivered by then waits in the database. */
  stop(): Promise<void>
}

const NO_CHANNELS: ChannelsConfig = { webhooks: [], email: undefined, allowHosts: new Set() }

/**
 * Starts delivering to the configured channels. Any number of instances share the work.
 *
 * Without a channel it runs as well: what waits for one that was taken away, be it the last, is refused, and dead after
 * a day. Somebody may configure it again until then, and hears of it in any case.
 */
export function startChannels(
  config: ChannelsConfig = NO_CHANNELS,
  { pool, registry, log }: { pool: pg.Pool; registry: Registry; log: ChannelLogLines },
): Channels {
  const { channels, close } = openChannels(config, log)
  const metrics = createChannelMetrics(registry, channels)
  const outboxMetrics = createOutboxMetrics(registry, pool)
  const disabled = disabledEndpoints(pool)
  const relay = createRelay({
    owner: OWNER,
    db: pool,
    send: sendToChannels({ channels, disabled, metrics, onDisabled: log.disabled }),
    batchSize: 1,
    inFlight: IN_FLIGHT,
    retries: RETRIES,
    report(report: RelayReport) {
      outboxMetrics.record(report)
      log.relay(report)
    },
  })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  const retries = setInterval(relay.nudge, LOOK_FOR_RETRIES_MS)
  return {
    outgoing: channels.length > 0 ? { destinations: channels, disabled, nudge: relay.nudge } : undefined,
    async stop() {
      clearInterval(retries)
      stop.abort()
      await running
      close()
    },
  }
}

function openChannels({ webhooks, email, allowHosts }: ChannelsConfig, log: ChannelLogLines) {
  const closing: (() => void)[] = []
  const channels: Channel[] = webhooks.map((webhook) => {
    const allowed = allowHosts.has(webhook.url.hostname)
    const { deliver, close } = webhookChannel(webhook, { allowed, maxSockets: WEBHOOK_LIMIT })
    closing.push(close)
    return { channel: 'webhook', endpoint: webhook.name, limit: WEBHOOK_LIMIT, deliver }
  })
  if (email) {
    const { deliver, close } = emailChannel(email, log.recipientsRejected)
    closing.push(close)
    channels.push({ channel: 'email', endpoint: 'smtp', limit: EMAIL_LIMIT, deliver })
  }
  return {
    channels: channels.map((channel) => traceDeliveries(channel)),
    close: () => closing.forEach((close) => close()),
  }
}
