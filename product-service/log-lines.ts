import type { FastifyBaseLogger } from 'fastify'
import type { OutboxEvent, RelayReport } from 'outbox'
import { type Logger, readTraceHeaders } from 'telemetry'

/** A change of a product, by the ids that lead from its request to its notification. */
export interface Change {
  product_id: string
  event_id: string
}

/** Every log line of this service, but for the one of each request (http-api). */
export const logLines = {
  migrated: (log: Logger, migrations: string[]) => log.info({ migrations }, 'database is up to date'),
  waiting: (log: Logger, what: string, reason: string) => log.warn({ reason }, `waiting for ${what}`),
  started: (log: Logger, at: { api: string; operations: string; database: string; queue: string }) =>
    log.info(at, 'product-service is ready'),
  relayStarted: (log: Logger, at: { operations: string; database: string; queue: string }) =>
    log.info(at, 'relay is ready'),
  stopping: (log: Logger, signal: string) => log.info({ signal }, 'stopping: what is under way is finished'),
  stopped: (log: Logger) => log.info('stopped'),
  crashed: (log: Logger, err: Error) => log.fatal({ err }, 'stopping after an error that nothing handled: a bug'),
  connectionLost: (log: Logger, err: Error) =>
    log.warn({ reason: err.message }, 'an idle database connection was lost; the next query opens another'),

  created: (log: FastifyBaseLogger, change: Change) => log.info(change, 'product created'),
  updated: (log: FastifyBaseLogger, change: Change) => log.info(change, 'product updated'),
  deleted: (log: FastifyBaseLogger, change: Change) => log.info(change, 'product deleted'),
}

/** What the relay tells of. One line an event is `debug`: at `info` the change and its notification have theirs. */
export function logRelayReport(log: Logger, report: RelayReport): void {
  switch (report.kind) {
    case 'published':
      if (!log.isLevelEnabled('debug')) return
      for (const event of report.events) log.debug(ids(event), 'event published')
      return
    case 'failed':
      return log.warn(
        {
          ...ids(report.event),
          reason: report.reason,
          attempts: report.event.attempts + 1,
          retry_in_ms: report.delayMs,
        },
        'event refused; it is tried again, and holds back its product until then',
      )
    case 'dead':
      return log.error(
        { ...ids(report.event), reason: report.reason },
        'event is dead: it needs somebody to redrive it',
      )
    case 'broker-away':
      return log.error({ reason: report.reason }, 'SQS takes no events; they wait, and none loses an attempt')
    case 'broker-back':
      return log.info({ away_ms: report.awayMs }, 'SQS takes events again')
    case 'database-away':
      return log.error({ reason: report.reason }, 'the outbox can not be read; the relay waits for the database')
    case 'database-back':
      return log.info({ away_ms: report.awayMs }, 'the outbox can be read again')
    case 'lanes':
      return log.info({ owned: report.owned, of: report.of }, 'the lanes of this relay changed')
    case 'pruned':
      return log.info({ events: report.events }, 'processed events past their retention were deleted')
  }
}

/** The key of an event is its product; its trace is that of the request that changed it. */
function ids({ key, eventId, type, headers }: OutboxEvent): Record<string, string> {
  const ids = { product_id: key, event_id: eventId, event_type: type }
  const trace = readTraceHeaders(headers.traceparent, undefined)
  return trace ? { trace_id: trace.traceId, ...ids } : ids
}
