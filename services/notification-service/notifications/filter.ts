import type { Notification } from './schemas.ts'

/** Which notifications a reader gets; undefined: all of them. */
export interface Filter {
  product_id?: string | undefined
  event_type?: string | undefined
}

/** A UUID may be written in capitals; PostgreSQL prints it in lower case. */
export function filterOf({ product_id, event_type }: Filter): Filter {
  return { product_id: product_id?.toLowerCase(), event_type }
}

export function passes(notification: Notification, { product_id, event_type }: Filter): boolean {
  return (
    (product_id === undefined || notification.product_id === product_id) &&
    (event_type === undefined || notification.event_type === event_type)
  )
}
