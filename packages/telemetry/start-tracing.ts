import { trace } from '@opentelemetry/api'
import { ExportResultCode } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  serviceNameEnvDetector,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import type { TracingConfig } from './config.ts'
import { createLogger, type Logger, type LogLevel, logLevels } from './logger.ts'

/** A person who looks for a trace has often just made it. */
const EXPORT_EVERY_MS = 1_000
/** Spans that wait for a collector, at one or two kilobytes each: what comes above them is dropped. */
const MAX_WAITING_SPANS = 8_192

/**
 * From now on the spans of this process are sent by OTLP over HTTP. Exporter and resource read OpenTelemetry's standard
 * variables by themselves (OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME and so on). Spans that somebody else began to
 * record are recorded, and all that begin here.
 */
export function startTracing(service: string, { logLevel }: TracingConfig): void {
  const level: LogLevel = logLevels.find((known) => known === logLevel) ?? 'info'
  const exporter = tellOfOutages(new OTLPTraceExporter(), createLogger(service, level))
  const detectors = [serviceInstanceIdDetector, resourceAttributesEnvDetector, serviceNameEnvDetector]
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service }))
      .merge(detectResources({ detectors })),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter,
        scheduledDelayMillis: EXPORT_EVERY_MS,
        maxQueueSize: MAX_WAITING_SPANS,
      }),
    ],
  })
  trace.setGlobalTracerProvider(provider)
}

/** One line when the collector is away, and one when it is back: not one for each try, let alone for each span. */
function tellOfOutages(exporter: SpanExporter, log: Logger): SpanExporter {
  let away = false
  const send = exporter.export.bind(exporter)
  return Object.assign(exporter, {
    export(...[spans, done]: Parameters<SpanExporter['export']>) {
      send(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS
        if (failed && !away) log.warn({ reason: result.error?.message }, 'spans can not be sent, and are dropped')
        if (!failed && away) log.info('spans can be sent again')
        away = failed
        done(result)
      })
    },
  })
}
