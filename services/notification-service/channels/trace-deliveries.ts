import type { OutboxEvent } from '@product-events/outbox'
import {
  activeTracer,
  endSpan,
  readTraceHeaders,
  SpanKind,
  startSpan,
  traceHeaders,
  type Tracer,
} from '@product-events/telemetry'
import { type DeliveryOutcome, type Destination, nameOf } from './delivery.ts'

export type Deliver = (event: OutboxEvent) => Promise<DeliveryOutcome>

/**
 * `deliver` with a span for each try, in the trace of the change. The event that it is handed carries the context of
 * that span. While tracing is off it is `deliver` itself. An error of the tracer never changes a delivery.
 */
export function traceDeliveries(
  destination: Destination,
  deliver: Deliver,
  tracer: Tracer | undefined = activeTracer(),
): Deliver {
  if (!tracer) return deliver
  return async (event) => {
    const span = attempt(() => startDeliverySpan(tracer, destination, event))
    const trace = span && attempt(() => traceHeaders(span.spanContext()))
    const outcome = await deliver(trace ? { ...event, headers: { ...event.headers, ...trace } } : event)
    if (span)
      attempt(() => endSpan(span, outcome.kind === 'accepted' ? undefined : `${outcome.kind}: ${outcome.reason}`))
    return outcome
  }
}

function startDeliverySpan(tracer: Tracer, destination: Destination, event: OutboxEvent) {
  const { headers, eventId, type, attempts, redriven } = event
  return startSpan(tracer, readTraceHeaders(headers.traceparent, headers.tracestate), {
    name: `deliver ${nameOf(destination)}`,
    kind: SpanKind.CLIENT,
    attributes: {
      'notification.channel': destination.channel,
      'notification.endpoint': destination.endpoint,
      'cloudevents.event_id': eventId,
      'cloudevents.event_type': type,
      'outbox.attempt': attempts + 1,
      'outbox.redriven': redriven,
    },
  })
}

function attempt<Result>(observe: () => Result): Result | undefined {
  try {
    return observe()
  } catch {
    return undefined
  }
}
