import type { NewEvent, Outcome } from '@product-events/outbox'
import type { TraceHeaders } from '@product-events/telemetry'
import type { NewNotification } from '../notifications/notification.ts'

/** Where notifications go out to: a webhook endpoint, or the mail. */
export interface Destination {
  channel: 'webhook' | 'email'
  endpoint: string
}

/** The body of a webhook, in the shape that Standard Webhooks recommends; what an email is written from. */
export interface Delivery {
  type: string
  timestamp: string
  data: NewNotification
}

/** What became of one delivery. `gone`: the endpoint wants nothing any more, neither this nor another. */
export type DeliveryOutcome = Exclude<Outcome, { kind: 'not-taken' }> | { kind: 'gone'; reason: string }

export function nameOf({ channel, endpoint }: Destination): string {
  return `${channel}:${endpoint}`
}

/**
 * One outbox event for each notification and destination. Its key makes the order of each product at each destination,
 * so a destination that fails holds back nothing but its own. Its id is the event's: a receiver knows a retry by it.
 */
export function deliveriesOf(
  notifications: readonly NewNotification[],
  destinations: readonly Destination[],
  traces?: ReadonlyMap<string, TraceHeaders>,
): NewEvent[] {
  // A standard queue may have brought events of one product out of order; within a batch that can be mended.
  const inOrder = notifications.toSorted((one, other) => compareSequences(one.sequence, other.sequence))
  return inOrder.flatMap((notification) =>
    destinations.map(({ channel, endpoint }) => ({
      id: notification.event_id,
      key: `${nameOf({ channel, endpoint })}:${notification.product_id}`,
      type: notification.event_type,
      payload: {
        type: notification.event_type,
        timestamp: notification.occurred_at,
        data: notification,
      } satisfies Delivery,
      headers: { channel, endpoint, ...traces?.get(notification.id) },
    })),
  )
}

/** Sequences are decimal digits without leading zeros, too long for a number. */
export function compareSequences(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : Number(one > other))
}
