import type { Notification } from './schemas.ts'

/** A row of `notifications` as `pg` gives it: bigint and numeric are strings. */
export interface NotificationRow extends Omit<Notification, 'occurred_at' | 'received_at'> {
  occurred_at: Date
  received_at: Date
}

export function fromRow({ occurred_at, received_at, ...same }: NotificationRow): Notification {
  return { ...same, occurred_at: occurred_at.toISOString(), received_at: received_at.toISOString() }
}
