import type { ProductEvent } from 'contracts'
import { append, type NewEvent } from 'outbox'
import type pg from 'pg'

/** Writes the event into the outbox in the transaction of its change, which holds the product's row locked. */
export async function appendEvent(tx: pg.ClientBase, event: ProductEvent): Promise<void> {
  await append(tx, [toNewEvent(event)])
}

export function toNewEvent(event: ProductEvent): NewEvent {
  return { id: event.id, key: event.subject, type: event.type, payload: event }
}
