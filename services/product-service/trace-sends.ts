import type { OutboxEvent, Outcome, Send } from '@product-events/outbox'
import {
  activeTracer,
  endSpan,
  readTraceHeaders,
  type Span,
  SpanKind,
  startSpan,
  traceHeaders,
  type Tracer,
} from '@product-events/telemetry'

/**
 * `send` with a span for each message, in the trace of the request that wrote its event, however long ago and in
 * whatever process that was; and one for the batch, which belongs to no request and so links to all of them. A message
 * carries the context of its own span on. While tracing is off it is `send` itself, and messages carry what their
 * events do.
 *
 * Names and attributes are those of OpenTelemetry's conventions for messaging, where a message of a batch is "created".
 */
export function traceSends(send: Send, queue: string, tracer: Tracer | undefined = activeTracer()): Send {
  if (!tracer) return send
  const at = { 'messaging.system': 'aws_sqs', 'messaging.destination.name': queue }

  function startMessage(tracer: Tracer, { eventId, key, type, headers, ...event }: OutboxEvent): Span {
    return startSpan(tracer, readTraceHeaders(headers.traceparent, headers.tracestate), {
      name: `publish ${queue}`,
      kind: SpanKind.PRODUCER,
      attributes: {
        ...at,
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'create',
        'cloudevents.event_id': eventId,
        'cloudevents.event_type': type,
        'cloudevents.event_subject': key,
        'outbox.waited_ms': Date.now() - event.createdAt.getTime(),
        'outbox.attempt': event.attempts + 1,
        'outbox.redriven': event.redriven,
      },
    })
  }

  return async (events, maySend) => {
    const spans = events.map((event) => startMessage(tracer, event))
    const batch = startSpan(tracer, undefined, {
      name: `send ${queue}`,
      kind: SpanKind.CLIENT,
      links: spans.map((span) => ({ context: span.spanContext() })),
      attributes: {
        ...at,
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.batch.message_count': events.length,
      },
    })
    let outage: string | undefined
    let outcomes = new Map<string, Outcome>()
    try {
      const traced = events.map((event, index) => carryOn(event, spans[index]))
      const result = await send(traced, maySend)
      ;({ outcomes, outage } = result)
      return result
    } catch (error) {
      outage = (error as Error).message
      throw error
    } finally {
      for (const [index, { id }] of events.entries()) {
        const span = spans[index]
        if (span) endSpan(span, failureOf(outcomes.get(id), outage))
      }
      endSpan(batch, outage)
    }
  }
}

function carryOn(event: OutboxEvent, span: Span | undefined): OutboxEvent {
  return span ? { ...event, headers: { ...event.headers, ...traceHeaders(span.spanContext()) } } : event
}

function failureOf(outcome: Outcome | undefined, outage = 'no verdict'): string | undefined {
  if (outcome === undefined) return outage
  return outcome.kind === 'accepted' ? undefined : `${outcome.kind}: ${outcome.reason}`
}
