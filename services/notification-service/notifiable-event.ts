import { type Envelope, parseBody, type ProductEvent } from '@product-events/contracts'
import type { InboxEvent, Message, Parsed } from '@product-events/inbox'
import { type NewNotification, notificationOf, notificationOfUnknown } from './notifications/notification.ts'

/** An event of the queue, with the notification that is to come of it. */
export interface NotifiableEvent extends InboxEvent {
  notification: NewNotification
  /** Why this version does not know the type or shape of the event; undefined when it does. */
  unknown: string | undefined
}

/** The key of an event is its product: changes of one product that arrive together are stored by sequence. */
export function parseMessage({ Body = '' }: Message): Parsed<NotifiableEvent> {
  const parsed = parseBody(Body)
  switch (parsed.kind) {
    case 'invalid':
      return parsed
    case 'event':
      return notifiable(parsed.event, notificationOf(parsed.event), undefined)
    default:
      return notifiable(parsed.envelope, notificationOfUnknown(parsed.envelope, parsed.reason), parsed.reason)
  }
}

function notifiable(
  envelope: (Envelope | ProductEvent) & { data?: unknown },
  notification: NewNotification,
  unknown: string | undefined,
): Parsed<NotifiableEvent> {
  const { event_id: id, event_type: type, product_id: key, sequence } = notification
  const payload = { time: envelope.time, data: envelope.data ?? null }
  return { kind: 'event', event: { id, type, key, sequence, payload, notification, unknown } }
}
