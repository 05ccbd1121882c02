import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  activeTracer,
  endSpan,
  readTraceHeaders,
  type Span,
  type SpanContext,
  SpanKind,
  startSpan,
  traceFields,
  type Tracer,
} from '@product-events/telemetry'
import { pathOf } from './errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Its place in a trace: our span, or the caller's while tracing is off; undefined when there is neither. */
    trace: SpanContext | undefined
  }
}

const spans = new WeakMap<FastifyRequest, Span>()

/**
 * Each request is a span in the trace of its caller, or the first one of a new trace, and its log lines name both.
 * While tracing is off a caller's trace is passed on all the same: its id is in our log lines.
 */
export function traceRequests(app: FastifyInstance): void {
  const tracer = activeTracer()
  app.decorateRequest('trace', undefined)
  app.addHook('onRequest', (request, _, done) => {
    const { traceparent, tracestate } = request.headers
    if (tracer || traceparent !== undefined) enterTrace(request, readTraceHeaders(traceparent, tracestate), tracer)
    done()
  })
}

function enterTrace(request: FastifyRequest, caller: SpanContext | undefined, tracer: Tracer | undefined): void {
  const span = tracer && startSpan(tracer, caller, { name: request.method, kind: SpanKind.SERVER })
  if (span) spans.set(request, span)
  request.trace = span?.spanContext() ?? caller
  if (request.trace) request.log = request.log.child(traceFields(request.trace))
}

/** Ends the request's span, if it has one, now that it is known what came of it. `route` is its pattern, or `none`. */
export function endRequestSpan(request: FastifyRequest, { statusCode }: FastifyReply, route: string): void {
  const span = spans.get(request)
  if (!span) return
  span.updateName(`${request.method} ${route}`)
  span.setAttributes({
    'http.request.method': request.method,
    'http.route': route,
    'http.response.status_code': statusCode,
    'url.path': pathOf(request.url),
    'url.scheme': 'http',
    'http.request.header.x-request-id': [request.id],
  })
  // By OpenTelemetry's conventions a 4xx is not an error of the server.
  const failed = statusCode >= 500
  if (failed) span.setAttribute('error.type', String(statusCode))
  endSpan(span, failed ? `answered ${statusCode}` : undefined)
}
