import type { Envelope } from '@product-events/contracts'
import {
  activeTracer,
  endSpan,
  inSpan,
  databaseSpan,
  readTraceHeaders,
  type SpanContext,
  SpanKind,
  startSpan,
  type Tracer,
} from '@product-events/telemetry'
import type { Message } from './messages.ts'

/** What a message's handling has to do with its trace. */
export interface MessageTrace {
  /** The place in the trace of the change that the message tells of: our span, or the sender's while tracing is off. */
  context: SpanContext | undefined
  /** Adds what is known once the message is parsed. */
  parsed(event: Envelope): void
  /** Runs what stores the notification. */
  store<Result>(work: () => Promise<Result>): Promise<Result>
  /** Handling is over; with the reason if it failed. */
  end(failure?: string): void
}

export interface MessageTracing {
  /** A receive that brought messages is a span that links to the trace of each. Returns what their own spans link to. */
  received(messages: readonly Message[], polledAt: number): SpanContext | undefined
  /** Handling a message begins: a span in the message's own trace. */
  begin(message: Message, receivedIn: SpanContext | undefined): MessageTrace
}

/** Names and attributes are those of OpenTelemetry's conventions for messaging. */
export function traceMessages(queue: string, tracer: Tracer | undefined = activeTracer()): MessageTracing {
  if (!tracer) return { received: () => undefined, begin: (message) => untraced(contextOf(message)) }
  const at = { 'messaging.system': 'aws_sqs', 'messaging.destination.name': queue }
  const insert = databaseSpan('INSERT', 'notifications')

  return {
    received(messages, polledAt) {
      const links = messages.flatMap((message) => linkTo(contextOf(message)))
      const span = startSpan(tracer, undefined, {
        name: `receive ${queue}`,
        kind: SpanKind.CLIENT,
        startTime: polledAt,
        links,
        attributes: {
          ...at,
          'messaging.operation.name': 'receive',
          'messaging.operation.type': 'receive',
          'messaging.batch.message_count': messages.length,
        },
      })
      span.end()
      return span.spanContext()
    },

    begin(message, receivedIn) {
      const span = startSpan(tracer, contextOf(message), {
        name: `process ${queue}`,
        kind: SpanKind.CONSUMER,
        links: linkTo(receivedIn),
        attributes: {
          ...at,
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'messaging.message.id': message.MessageId ?? '',
        },
      })
      const context = span.spanContext()
      return {
        context,
        parsed: ({ id, type, subject }) =>
          void span.setAttributes({
            'cloudevents.event_id': id,
            'cloudevents.event_type': type,
            'cloudevents.event_subject': subject,
          }),
        store: (work) => inSpan(tracer, context, insert, work),
        end: (failure) => endSpan(span, failure),
      }
    },
  }
}

const outside: MessageTrace = { context: undefined, parsed: () => {}, store: (work) => work(), end: () => {} }

function untraced(context: SpanContext | undefined): MessageTrace {
  return context ? { ...outside, context } : outside
}

function contextOf({ MessageAttributes }: Message): SpanContext | undefined {
  return readTraceHeaders(MessageAttributes?.traceparent?.StringValue, MessageAttributes?.tracestate?.StringValue)
}

function linkTo(context: SpanContext | undefined): { context: SpanContext }[] {
  return context ? [{ context }] : []
}
