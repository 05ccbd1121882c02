import { basename, dirname, extname } from 'node:path'

/** The variables read here; OpenTelemetry's exporter reads its own ones. */
export interface TracingConfig {
  logLevel: string
}

/**
 * Undefined when no spans are to be sent: without OTEL_EXPORTER_OTLP_ENDPOINT, or with one that is not a URL, which the
 * service's own configuration then complains about.
 */
export function readTracingConfig(env: NodeJS.ProcessEnv): TracingConfig | undefined {
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() ?? ''
  if (endpoint === '' || !URL.canParse(endpoint)) return undefined
  return { logLevel: env.LOG_LEVEL?.trim() || 'info' }
}

/**
 * The name of a program in its log: `services/product-service/main.ts`, `dist/product-service.js`,
 * `…/relay-main.ts`.
 */
export function serviceOf(main: string): string {
  const name = basename(main, extname(main))
  return name === 'main' ? basename(dirname(main)) : name.replace(/-main$/, '')
}
