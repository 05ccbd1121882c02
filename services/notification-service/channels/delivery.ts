import type { EventOf } from '@product-events/outbox'
import type { TraceHeaders } from '@product-events/telemetry'
import type { NewNotification } from '../notifications/notification.ts'

/** Where a delivery goes: a webhook endpoint, or one recipient of the mail server. */
export interface Destination {
  channel: 'webhook' | 'email'
  endpoint: string
  /** The address of a mail. */
  recipient?: string
}

/** The body of a webhook, in the shape that Standard Webhooks recommends, and the content of a mail. */
export interface Delivery {
  type: string
  timestamp: string
  data: NewNotification
}

/** What became of one try, as the relay takes it. */
export type TryOutcome =
  | { kind: 'accepted' }
  | { kind: 'refused'; reason: string }
  | { kind: 'unacceptable'; reason: string }
  | { kind: 'postponed'; reason: string; delayMs: number }

/** `gone`: the endpoint wants no delivery any more, neither this nor another. */
export type DeliveryOutcome = TryOutcome | { kind: 'gone'; reason: string }

/** The endpoint's name, in logs and in the list of disabled endpoints. */
export function nameOf({ channel, endpoint }: Destination): string {
  return `${channel}:${endpoint}`
}

/**
 * One outbox event for each notification and destination, in the order of `notifications`. Its key makes the order of
 * each product at each destination, so a destination that fails blocks only its own deliveries. Its id is the event's:
 * a receiver knows a retry by it.
 */
export function deliveriesOf(
  notifications: readonly NewNotification[],
  destinations: readonly Destination[],
  traces?: ReadonlyMap<string, TraceHeaders>,
): EventOf<Record<string, Delivery>>[] {
  return notifications.flatMap((notification) =>
    destinations.map(({ channel, endpoint, recipient }) => ({
      id: notification.event_id,
      key: [channel, endpoint, ...(recipient === undefined ? [] : [recipient]), notification.product_id].join(':'),
      type: notification.event_type,
      payload: {
        type: notification.event_type,
        timestamp: notification.occurred_at,
        data: notification,
      } satisfies Delivery,
      headers: { channel, endpoint, ...(recipient !== undefined && { recipient }), ...traces?.get(notification.id) },
    })),
  )
}
