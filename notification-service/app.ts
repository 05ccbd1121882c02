import { createHttpApi, type HttpApi } from 'http-api'
import type pg from 'pg'
import type { Logger, Registry } from 'telemetry'
import type { LogLines } from './log-lines.ts'
import { createFeed } from './notifications/feed.ts'
import { notificationRoutes } from './notifications/routes.ts'
import { streamRoute } from './notifications/stream.ts'
import { reachability } from './reachability.ts'

export interface AppOptions {
  pool: pg.Pool
  logger: Logger
  log: LogLines
  registry: Registry
  /** Until a silent stream says that it is still there, in milliseconds. */
  heartbeatMs?: number
}

/** The HTTP API with its routes. It opens nothing: `listen` does. */
export function buildApp({ pool, logger, log, registry, ...options }: AppOptions): HttpApi {
  const app = createHttpApi({ logger, registry })
  notificationRoutes(app, pool)
  const feed = createFeed(pool, reachability({ lost: log.feedLost, back: log.feedBack }))
  streamRoute(app, { pool, feed, log, ...options })
  return app
}
