import type { FastifyBaseLogger } from 'fastify'
import type { Logger } from 'telemetry'

/** A change of a product, by the ids that lead from its request to its notification. */
export interface Change {
  product_id: string
  event_id: string
}

/** Every log line of this service, but for those of each request (http-api) and of the relay (outbox). */
export const logLines = {
  migrated: (log: Logger, migrations: string[]) => log.info({ migrations }, 'database is up to date'),
  waiting: (log: Logger, what: string, reason: string) => log.warn({ reason }, `waiting for ${what}`),
  started: (log: Logger, at: { api: string; operations: string; database: string; queue: string }) =>
    log.info(at, 'product-service is ready'),
  stopping: (log: Logger, signal: string | undefined) => log.info({ signal }, 'stopping: no new connections'),
  stopped: (log: Logger) => log.info('stopped'),
  crashed: (log: Logger, err: Error) => log.fatal({ err }, 'stopping after an error that nothing handled: a bug'),
  connectionLost: (log: Logger, err: Error) =>
    log.warn({ reason: err.message }, 'an idle database connection was lost; the next query opens another'),

  created: (log: FastifyBaseLogger, change: Change) => log.info(change, 'product created'),
  deleted: (log: FastifyBaseLogger, change: Change) => log.info(change, 'product deleted'),
}
