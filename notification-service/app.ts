import { createHttpApi, type HttpApi } from 'http-api'
import type pg from 'pg'
import type { Logger, Registry } from 'telemetry'
import { notificationRoutes } from './notifications/routes.ts'

/** The HTTP API with its routes. It opens nothing: `listen` does. */
export function buildApp({ pool, logger, registry }: { pool: pg.Pool; logger: Logger; registry: Registry }): HttpApi {
  const app = createHttpApi({ logger, registry })
  notificationRoutes(app, pool)
  return app
}
