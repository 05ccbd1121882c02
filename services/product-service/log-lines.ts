import type { FastifyBaseLogger } from 'fastify'
import { logReport, type OutboxEvent, type RelayReport, type ReportWording } from '@product-events/outbox'
import { type Logger, readTraceHeaders, traceFields } from '@product-events/telemetry'

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

const relayWording: ReportWording = {
  ids,
  words: {
    published: 'event published',
    postponed: 'event postponed',
    failed: 'event refused; it is tried again, and holds back its product until then',
    dead: 'event is dead: it needs somebody to redrive it',
    'broker-away': 'SQS takes no events; they wait, and none loses an attempt',
    'broker-back': 'SQS takes events again',
    'database-away': 'the outbox can not be read; the relay waits for the database',
    'database-back': 'the outbox can be read again',
    lanes: 'the lanes of this relay changed',
    pruned: 'processed events past their retention were deleted',
    'pruning-failed': 'processed events past their retention can not be deleted; the relay retries',
    'pruning-resumed': 'processed events past their retention can be deleted again',
    unsettled: 'the database refuses to mark what became of an event; the relay retries every 30 s',
  },
}

/** What the relay tells of. */
export function logRelayReport(log: Logger, report: RelayReport): void {
  logReport(log, relayWording, report)
}

/** The key of an event is its product; its trace is that of the request that changed it. */
function ids({ key, eventId, type, headers }: OutboxEvent): Record<string, string> {
  const trace = traceFields(readTraceHeaders(headers.traceparent, undefined))
  return { ...trace, product_id: key, event_id: eventId, event_type: type }
}
