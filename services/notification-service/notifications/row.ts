import type { Notification } from './schemas.ts'

/** A row of a page: a notification with its position, a bigint in decimal digits. */
export type NotificationRow = Notification & { position: string }

/** The columns that the API shows. */
export function fromRow(row: NotificationRow): Notification {
  const { id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at } = row
  return { id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at }
}
