import { createHttpApi, type HttpApi } from 'http-api'
import type pg from 'pg'
import type { Logger, Registry } from 'telemetry'
import { createMetrics } from './metrics.ts'
import { addProductRoutes } from './products/routes.ts'

export interface AppOptions {
  logger: Logger
  registry: Registry
  pool: pg.Pool
  /** Told after each commit that there is an event to send. */
  nudge: () => void
}

/** The API with all its routes. Opens nothing: `listen` it, or `inject` requests. */
export function buildApp({ logger, registry, pool, nudge }: AppOptions): HttpApi {
  const app = createHttpApi({ logger, registry })
  addProductRoutes(app, { pool, metrics: createMetrics(registry), nudge })
  return app
}
