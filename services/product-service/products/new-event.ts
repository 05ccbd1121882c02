import type { ProductEvent } from '@product-events/contracts'
import { type SpanContext, traceHeaders } from '@product-events/telemetry'
import type { NewProductEvent } from '../outbox.ts'

/** The event carries the trace of its request, for whenever and from wherever it is sent. */
export function toNewEvent(event: ProductEvent, trace: SpanContext | undefined): NewProductEvent {
  const { id, subject: key, type } = event
  if (!trace) return { id, key, type, payload: event }
  return { id, key, type, payload: event, headers: { ...traceHeaders(trace) } }
}
