import type { Notification } from './schemas.ts'

/** A row of a page: a notification with its position, a bigint in decimal digits. */
export type NotificationRow = Notification & { position: string }

/** Without what only the service needs: the API shows nothing else. */
export function fromRow(row: NotificationRow): Notification {
  const { id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at } = row
  return { id, event_id, event_type, product_id, title, message, sequence, occurred_at, received_at }
}
