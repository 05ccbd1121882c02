import {
  type ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'

export { type Span, type SpanContext, SpanKind, type Tracer } from '@opentelemetry/api'

/**
 * What a stop may wait for a collector: one that is there answers within milliseconds, and all of it must end in 10 s.
 */
const LAST_EXPORT_MS = 1_000

/**
 * The tracer that a module loaded by `--import` has set up; undefined when there is none, which is the rule. Ask when
 * the process starts, not for each request: without a tracer nothing of tracing is to cost anything.
 */
export function activeTracer(): Tracer | undefined {
  return setUp()?.getTracer('product-events')
}

/** Exports the spans that have ended and then no more. Resolves after a second at the latest. Never rejects. */
export async function endTracing(): Promise<void> {
  const ended = setUp()?.shutdown?.()
  if (ended === undefined) return
  const { promise: timeout, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, LAST_EXPORT_MS)
  await Promise.race([ended.catch(() => {}), timeout])
  clearTimeout(timer)
}

/** The name of a span and its attributes. */
export interface SpanDescription extends SpanOptions {
  name: string
}

/** Starts a span below `parent`, which may be of another process; without one it is the first of a new trace. */
export function startSpan(
  tracer: Tracer,
  parent: SpanContext | undefined,
  { name, ...options }: SpanDescription,
): Span {
  return tracer.startSpan(name, options, parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT)
}

/** Ends a span, as failed if there is a reason. */
export function endSpan(span: Span, failure?: string): void {
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure })
  span.end()
}

/** Runs `work` in a span below `parent`. Without a tracer, or outside any trace, it just runs. */
export async function inSpan<Result>(
  tracer: Tracer | undefined,
  parent: SpanContext | undefined,
  description: SpanDescription,
  work: () => Promise<Result>,
): Promise<Result> {
  if (!tracer || !parent) return work()
  const span = startSpan(tracer, parent, description)
  try {
    const result = await work()
    endSpan(span)
    return result
  } catch (error) {
    endSpan(span, (error as Error).message)
    throw error
  }
}

/** How OpenTelemetry describes a statement or transaction on PostgreSQL: by what it does to which table. */
export function databaseSpan(operation: 'INSERT' | 'UPDATE' | 'DELETE', table: string): SpanDescription {
  return {
    name: `${operation} ${table}`,
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.collection.name': table },
  }
}

type Provider = TracerProvider & { shutdown?: () => Promise<void> }

/** The API returns a proxy, whether or not a provider was registered behind it. */
function setUp(): Provider | undefined {
  const provider: TracerProvider & Partial<ProxyTracerProvider> = trace.getTracerProvider()
  if (provider.getDelegate === undefined) return provider
  return provider.getDelegateTracer?.('') ? provider.getDelegate() : undefined
}
