import {
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import type { OutboxEvent, Outcome, Send } from './send.ts'

export interface TracingOptions {
  /** The name of the queue or topic. */
  queue: string
  /** Default: the one of the API, named after this package. */
  tracer?: Tracer
  /** `messaging.system` of the spans. Default: `aws_sqs`. */
  system?: string
  /** How the headers of an event carry a trace. Default: as the propagator of the API writes it. */
  headers?: TraceHeaders
}

export interface TraceHeaders {
  read: (headers: Readonly<Record<string, string>>) => SpanContext | undefined
  write: (context: SpanContext) => Readonly<Record<string, string>>
}

/**
 * `send` with a span for each message, in the trace of the request that wrote its event, however long ago and in
 * whatever process that was; and one for the batch, which belongs to no request and so links to all of them. A message
 * carries the context of its own span on.
 *
 * Names and attributes are those of OpenTelemetry's conventions for messaging, where a message of a batch is "created".
 */
export function traceSends(send: Send, options: TracingOptions): Send {
  const { queue, system = 'aws_sqs', headers = PROPAGATED } = options
  const tracer = options.tracer ?? trace.getTracer('@product-events/outbox')
  const at = { 'messaging.system': system, 'messaging.destination.name': queue }

  function startMessage(event: OutboxEvent): Span {
    return startSpan(tracer, headers.read(event.headers), {
      name: `publish ${queue}`,
      kind: SpanKind.PRODUCER,
      attributes: {
        ...at,
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'create',
        'cloudevents.event_id': event.eventId,
        'cloudevents.event_type': event.type,
        'cloudevents.event_subject': event.key,
        'outbox.waited_ms': Date.now() - event.createdAt.getTime(),
        'outbox.attempt': event.attempts + 1,
        'outbox.redriven': event.redriven,
      },
    })
  }

  function carryOn(event: OutboxEvent, span: Span | undefined): OutboxEvent {
    return span ? { ...event, headers: { ...event.headers, ...headers.write(span.spanContext()) } } : event
  }

  return async (events, maySend) => {
    const spans = events.map(startMessage)
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

const PROPAGATED: TraceHeaders = {
  read: (headers) => trace.getSpanContext(propagation.extract(ROOT_CONTEXT, headers)),
  write(context) {
    const carrier: Record<string, string> = {}
    propagation.inject(trace.setSpanContext(ROOT_CONTEXT, context), carrier)
    return carrier
  },
}

interface SpanDescription extends SpanOptions {
  name: string
}

function startSpan(tracer: Tracer, parent: SpanContext | undefined, { name, ...options }: SpanDescription): Span {
  return tracer.startSpan(name, options, parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT)
}

function endSpan(span: Span, failure: string | undefined): void {
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
  span.end()
}

function failureOf(outcome: Outcome | undefined, outage = 'no verdict'): string | undefined {
  if (outcome === undefined) return outage
  return outcome.kind === 'accepted' ? undefined : `${outcome.kind}: ${outcome.reason}`
}
