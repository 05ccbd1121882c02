export { type Dependency, measureDependencies } from './dependencies.ts'
export { createLogger, type Logger, type LogLevel, logLevels } from './logger.ts'
export { Counter, createRegistry, Gauge, Histogram, Registry } from './metrics.ts'
export { readTraceHeaders, traceFields, type TraceHeaders, traceHeaders } from './trace-context.ts'
export {
  activeTracer,
  databaseSpan,
  endSpan,
  endTracing,
  inSpan,
  type Span,
  type SpanContext,
  SpanKind,
  startSpan,
  type Tracer,
} from './tracer.ts'
export { measurePool } from './pool.ts'
export { cutText, redact } from './redact.ts'
export { createRetentionGauge } from './retention.ts'
