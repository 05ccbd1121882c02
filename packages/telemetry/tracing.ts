/**
 * To be loaded before a service: `node --import ./telemetry/tracing.ts services/product-service/main.ts`. With
 * OTEL_EXPORTER_OTLP_ENDPOINT its spans go there; without it nothing of OpenTelemetry's SDK is even loaded.
 */
import { readTracingConfig, serviceOf } from './config.ts'

// Loading takes a while, and nothing is open yet. The service replaces this by its own.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0))

const config = readTracingConfig(process.env)
if (config) {
  const { startTracing } = await import('./start-tracing.ts')
  startTracing(serviceOf(process.argv[1] ?? ''), config)
}
