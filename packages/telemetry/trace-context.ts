import { createTraceState, type SpanContext, TraceFlags } from '@opentelemetry/api'

/** Where a trace is carried on, as W3C Trace Context writes it: in HTTP headers, outbox events and SQS attributes. */
export interface TraceHeaders {
  traceparent: string
  tracestate?: string
}

/** `00-<trace>-<span>-<flags>`; a later version may have more behind it. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/
/** Four fields with their dashes: all that version 00 has. */
const TRACEPARENT_LENGTH = 55

/** The place in a trace that a caller's headers name; undefined when they name none, or are not valid. */
export function readTraceHeaders(traceparent: unknown, tracestate: unknown): SpanContext | undefined {
  if (typeof traceparent !== 'string') return undefined
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (traceparent.startsWith('00') && traceparent.length !== TRACEPARENT_LENGTH) return undefined
  const traceFlags = parseInt(flags, 16) & TraceFlags.SAMPLED
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true }
  // It reads at most 512 characters, and drops malformed ones: a caller's text goes into rows and messages.
  if (typeof tracestate === 'string' && tracestate !== '') context.traceState = createTraceState(tracestate)
  return context
}

/** The headers that carry the trace on from here. */
export function traceHeaders({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceHeaders {
  const traceparent = `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`
  const tracestate = traceState?.serialize()
  return tracestate ? { traceparent, tracestate } : { traceparent }
}

/** The fields of a log line. The span of a caller is not logged. */
export function traceFields(context: SpanContext | undefined): { trace_id?: string; span_id?: string } {
  if (context === undefined) return {}
  return context.isRemote ? { trace_id: context.traceId } : { trace_id: context.traceId, span_id: context.spanId }
}
