import { randomUUIDv7 } from 'node:crypto'
import type { Envelope, ProductEvent } from '@product-events/contracts'
import { type Wording, wordingOf, wordingOfUnknown } from './wording.ts'

/** A notification on its way into the database, which adds `received_at`. */
export interface NewNotification {
  id: string
  event_id: string
  event_type: string
  product_id: string
  title: string
  message: string
  /** Decimal digits, as in the event: the largest do not fit a JavaScript number. */
  sequence: string
  occurred_at: string
}

export function notificationOf(event: ProductEvent): NewNotification {
  return notification(event, wordingOf(event))
}

/**
 * An event that this version does not know is kept and shown as such, rather than left to rot in a dead-letter queue.
 */
export function notificationOfUnknown(envelope: Envelope, reason: string): NewNotification {
  return notification(envelope, wordingOfUnknown(envelope, reason))
}

function notification(envelope: Envelope, { title, message }: Wording): NewNotification {
  return {
    id: randomUUIDv7(),
    // PostgreSQL prints UUIDs in lower case, whatever the case in which they came.
    event_id: envelope.id.toLowerCase(),
    event_type: envelope.type,
    product_id: envelope.subject.toLowerCase(),
    title,
    message,
    sequence: envelope.sequence,
    occurred_at: envelope.time,
  }
}
