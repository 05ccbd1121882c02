import {
  type Attributes,
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
import type { InboxEvent, Message } from './event.ts'
import type { MessageTracing } from './trace.ts'

export interface TracingOptions {
  /** Default: the one of the API, named after this package. */
  tracer?: Tracer
  /** The name of the queue. */
  queue: string
  /** The table of the INSERT span. Default: `handled_events`. */
  table?: string
  /** Where the sender's trace is in a message. Default: the API's propagator reads it from the attributes. */
  readContext?: (message: Message) => SpanContext | undefined
}

export interface TracedMessages extends MessageTracing {
  /** The span of a message that is being handled, or the sender's. */
  contextOf(message: Message): SpanContext | undefined
}

/**
 * A span for each receive and for each message that is handled, in the trace of the change that the message is about.
 * Names and attributes are those of OpenTelemetry's conventions for messaging.
 */
export function traceMessages({
  tracer = trace.getTracer('@product-events/inbox'),
  queue,
  table = 'handled_events',
  readContext = readAttributes,
}: TracingOptions): TracedMessages {
  const at = { 'messaging.system': 'aws_sqs', 'messaging.destination.name': queue }
  const receives = new WeakMap<Message, SpanContext>()
  const processed = new WeakMap<Message, SpanContext>()

  return {
    contextOf: (message) => processed.get(message) ?? readContext(message),

    received(messages, polledAt) {
      const attributes = {
        ...at,
        'messaging.operation.name': 'receive',
        'messaging.operation.type': 'receive',
        'messaging.batch.message_count': messages.length,
      }
      const links = messages.flatMap((message) => linkTo(readContext(message)))
      const span = startSpan(tracer, undefined, `receive ${queue}`, SpanKind.CLIENT, attributes, {
        startTime: polledAt,
        links,
      })
      span.end()
      for (const message of messages) receives.set(message, span.spanContext())
    },

    begin(message) {
      const attributes = {
        ...at,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.message.id': message.MessageId ?? '',
      }
      const links = linkTo(receives.get(message))
      const span = startSpan(tracer, readContext(message), `process ${queue}`, SpanKind.CONSUMER, attributes, { links })
      processed.set(message, span.spanContext())
      let insert: Span | undefined
      return {
        parsed: ({ id, type, key }: InboxEvent) =>
          void span.setAttributes({
            'cloudevents.event_id': id,
            'cloudevents.event_type': type,
            ...(key !== undefined && { 'cloudevents.event_subject': key }),
          }),
        storing() {
          insert = startSpan(tracer, span.spanContext(), `INSERT ${table}`, SpanKind.CLIENT, {
            'db.system.name': 'postgresql',
            'db.operation.name': 'INSERT',
            'db.collection.name': table,
          })
        },
        end(failure) {
          insert?.end()
          if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
          span.end()
        },
      }
    },
  }
}

/** In the trace of `parent`; without one, in a trace of its own. */
function startSpan(
  tracer: Tracer,
  parent: SpanContext | undefined,
  name: string,
  kind: SpanKind,
  attributes: Attributes,
  rest: Pick<SpanOptions, 'startTime' | 'links'> = {},
): Span {
  const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
  return tracer.startSpan(name, { kind, attributes, ...rest }, context)
}

function readAttributes({ MessageAttributes = {} }: Message): SpanContext | undefined {
  const texts = Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue] as const)
  return trace.getSpanContext(propagation.extract(ROOT_CONTEXT, Object.fromEntries(texts)))
}

function linkTo(context: SpanContext | undefined): { context: SpanContext }[] {
  return context ? [{ context }] : []
}
