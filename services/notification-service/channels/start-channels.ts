import { createOutageWatch } from '@product-events/outages'
import { type Listen, type OutboxEvent, type RelayReport } from '@product-events/outbox'
import { createOutboxMetrics } from '@product-events/outbox/prometheus'
import type pg from 'pg'
import type { Registry } from '@product-events/telemetry'
import type { ChannelsConfig, EmailSettings } from './config.ts'
import type { DeliveryOutcome, Destination } from './delivery.ts'
import { disabledEndpoints } from './disabled-endpoints.ts'
import { emailChannel, type EmailOptions } from './email.ts'
import { createEndpointWatch, type EndpointWatch } from './endpoint-watch.ts'
import type { ChannelLogLines } from './log-lines.ts'
import { outlastSends } from './long-deliveries.ts'
import { createChannelMetrics } from './metrics.ts'
import { outbox, OWNER } from './outbox.ts'
import { refused } from './outcomes.ts'
import { createPlaces, type PlacesOptions } from './places.ts'
import { createResolve, type Resolve } from './resolve.ts'
import { type Channel, sendToChannels } from './send-to-channels.ts'
import { settleLate } from './settle-late.ts'
import { LONGEST_CONVERSATION_MS } from './smtp.ts'
import type { Outgoing } from './store-with-deliveries.ts'
import { type Deliver, traceDeliveries } from './trace-deliveries.ts'
import { REQUEST_TIMEOUT_MS, webhookChannel } from './webhook.ts'

/** With the time of a request it stays below the relay's send timeout of five seconds. */
const LONGEST_WAIT_MS = 1_500
/** The time that remains until that timeout: a place is freed then, even if our own bound on the request failed. */
const BOUND_MARGIN_MS = 400
/** What one endpoint gets at once: enough for a few hundred a second, little enough for any server. */
const WEBHOOK_PLACES = {
  limit: 8,
  longestWaitMs: LONGEST_WAIT_MS,
  longestStayMs: REQUEST_TIMEOUT_MS + BOUND_MARGIN_MS,
}
/** Mail servers count connections, and refuse a client that opens many. */
const EMAIL_PLACES = {
  limit: 4,
  longestWaitMs: LONGEST_WAIT_MS,
  longestStayMs: LONGEST_CONVERSATION_MS + BOUND_MARGIN_MS,
}
/**
 * Retries are due from a second on, and no commit nudges the relay for them. A poll would come too late: the relay
 * polls between its cycles, and a cycle lasts as long as the slowest try in it.
 */
const LOOK_FOR_RETRIES_MS = 1_000
/**
 * Sends are promises that mostly wait for a place, for 1.5 s at the longest; so many that a slow endpoint can't take
 * all of them.
 */
const IN_FLIGHT = 4_000
/**
 * A receiver may be down over night and be repaired the day after: about a day, since after the first hour the tries
 * are half an hour to an hour apart.
 */
const RETRIES = { maxAttempts: 40, longestPauseMs: 60 * 60_000 }

export interface Channels {
  /** Undefined when no channel is configured. */
  outgoing: Outgoing | undefined
  /**
   * Ends within seven seconds, whatever the endpoints do. Deliveries that are not settled by then wait in the database.
   */
  stop(): Promise<void>
}

export interface ChannelsContext {
  pool: pg.Pool
  registry: Registry
  log: ChannelLogLines
  /** How the relay listens for deliveries that other instances append. */
  listen?: Listen
  /** How hosts are looked up. */
  resolve?: Resolve
}

const NO_CHANNELS: ChannelsConfig = { webhooks: [], email: undefined, allowHosts: new Set() }

/**
 * Starts delivering to the configured channels. Any number of instances share the work.
 *
 * It runs without a channel, too: deliveries for one that was removed, even the last one, are refused, and abandoned
 * after a day. The operator may configure it again until then, and is told in any case.
 */
export function startChannels(config: ChannelsConfig = NO_CHANNELS, context: ChannelsContext): Channels {
  const { pool, registry, log, listen } = context
  const { channels, watchOf, endLongTries, close } = openChannels(config, context)
  const metrics = createChannelMetrics(registry, channels)
  const outboxMetrics = createOutboxMetrics(registry, pool, 'public')
  const readable = createOutageWatch({ lost: log.disabledUnreadable, back: log.disabledReadable })
  const disabled = disabledEndpoints(pool, readable)
  const relay = outbox.createRelay({
    owner: OWNER,
    db: pool,
    send: sendToChannels({ channels, disabled, metrics, watchOf, onUnknown: log.unknown, onDisabled: log.disabled }),
    batchSize: 1,
    inFlight: IN_FLIGHT,
    retries: RETRIES,
    ...(listen && { listen }),
    report(report: RelayReport) {
      outboxMetrics.record(report)
      log.relay(report)
    },
  })
  const stop = new AbortController()
  const running = relay.run(stop.signal)
  const retries = setInterval(relay.nudge, LOOK_FOR_RETRIES_MS)
  const destinations: Destination[] = channels.flatMap(({ channel, endpoint, recipients }) =>
    recipients ? recipients.map((recipient) => ({ channel, endpoint, recipient })) : [{ channel, endpoint }],
  )
  return {
    outgoing: channels.length > 0 ? { destinations, disabled, nudge: () => outbox.wake(pool) } : undefined,
    async stop() {
      clearInterval(retries)
      stop.abort()
      await Promise.all([endLongTries(), running])
      // An outcome that is lost costs a duplicate, never a delivery.
      await settleLate(pool, await close()).catch(() => {})
    },
  }
}

function openChannels(config: ChannelsConfig, { log, resolve = createResolve() }: ChannelsContext) {
  const { webhooks, email, allowHosts } = config
  const closing: (() => void)[] = []
  const channels: Channel[] = webhooks.map((webhook) => {
    const { deliver, close } = webhookChannel(webhook, { resolve, allowed: allowHosts.has(webhook.url.hostname) })
    closing.push(close)
    const destination = { channel: 'webhook', endpoint: webhook.name } as const
    return { ...destination, deliver: inPlaces(WEBHOOK_PLACES, traceDeliveries(destination, deliver)) }
  })
  const mail = email && openMail(email, { resolve, onRejected: log.recipientsRejected })
  if (mail) channels.push(mail.channel)

  return {
    channels,
    watchOf(channel: Channel): EndpointWatch {
      const watch = createEndpointWatch({
        refuses: (reason) => log.refuses(channel, reason),
        acceptsAgain: (awayMs) => log.acceptsAgain(channel, awayMs),
      })
      closing.push(watch.close)
      return watch
    },
    endLongTries: async () => mail?.endConversations(),
    /** Resolves with accepted events that the relay does not know of. */
    async close(): Promise<OutboxEvent[]> {
      for (const close of closing) close()
      return (await mail?.close()) ?? []
    },
  }
}

function openMail(settings: EmailSettings, options: EmailOptions) {
  const { deliver, close: endConversations } = emailChannel(settings, options)
  const destination = { channel: 'email', endpoint: 'smtp' } as const
  const oneByOne = inPlaces(EMAIL_PLACES, traceDeliveries(destination, deliver))
  const long = outlastSends(oneByOne, LONGEST_CONVERSATION_MS)
  const channel: Channel = { ...destination, recipients: settings.to, deliver: long.deliver }
  return { channel, endConversations, close: long.close }
}

/** `deliver` in one of the endpoint's places: postponed while none is free, and over when the place is taken back. */
function inPlaces(options: PlacesOptions, deliver: Deliver): Deliver {
  const places = createPlaces(options)
  return async (event: OutboxEvent): Promise<DeliveryOutcome> => {
    const occupied = await places.occupy(() => deliver(event))
    if (occupied.kind === 'done') return occupied.result
    if (occupied.kind === 'overdue') return refused(`no outcome within ${options.longestStayMs} ms`)
    return { kind: 'postponed', reason: 'the endpoint is busy with other deliveries', delayMs: occupied.delayMs }
  }
}
