import {
  activeTracer,
  endSpan,
  readTraceHeaders,
  SpanKind,
  startSpan,
  traceHeaders,
  type Tracer,
} from '@product-events/telemetry'
import { nameOf } from './delivery.ts'
import type { Channel } from './send-to-channels.ts'

/**
 * A channel each of whose tries is a span, in the trace of the change that the notification tells of. The event that
 * it is handed carries the context of that span. While tracing is off it is the channel itself.
 */
export function traceDeliveries(channel: Channel, tracer: Tracer | undefined = activeTracer()): Channel {
  if (!tracer) return channel
  const name = nameOf(channel)
  return {
    ...channel,
    async deliver(event) {
      const { headers, eventId, type, attempts, redriven } = event
      const span = startSpan(tracer, readTraceHeaders(headers.traceparent, headers.tracestate), {
        name: `deliver ${name}`,
        kind: SpanKind.CLIENT,
        attributes: {
          'notification.channel': channel.channel,
          'notification.endpoint': channel.endpoint,
          'cloudevents.event_id': eventId,
          'cloudevents.event_type': type,
          'outbox.attempt': attempts + 1,
          'outbox.redriven': redriven,
        },
      })
      const outcome = await channel.deliver({ ...event, headers: { ...headers, ...traceHeaders(span.spanContext()) } })
      endSpan(span, outcome.kind === 'accepted' ? undefined : `${outcome.kind}: ${outcome.reason}`)
      return outcome
    },
  }
}
