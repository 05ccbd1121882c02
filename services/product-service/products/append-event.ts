import type { ProductEvent } from '@product-events/contracts'
import { append, type NewEvent } from '@product-events/outbox'
import type pg from 'pg'
import { type SpanContext, traceHeaders } from '@product-events/telemetry'

/** Writes the event into the outbox in the transaction of its change, which holds the product's row locked. */
export async function appendEvent(
  tx: pg.ClientBase,
  event: ProductEvent,
  trace: SpanContext | undefined,
): Promise<void> {
  await append(tx, [toNewEvent(event, trace)])
}

/** The event carries the trace of its request, for whenever and from wherever it is sent. */
export function toNewEvent(event: ProductEvent, trace: SpanContext | undefined): NewEvent {
  const { id, subject: key, type } = event
  if (!trace) return { id, key, type, payload: event }
  return { id, key, type, payload: event, headers: { ...traceHeaders(trace) } }
}
