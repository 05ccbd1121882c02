import type { FastifyBaseLogger } from 'fastify'
import { logReport, type OutboxEvent, type RelayReport, type ReportWording } from '@product-events/outbox'
import { type Logger, readTraceHeaders, traceFields } from '@product-events/telemetry'

/** A change of a product, by the ids that lead from its request to its notification. */
export interface Change {
  product_id: string
  event_id: string
}

export type LogLines = ReturnType<typeof logLines>

/** Every line of this service but those of requests (http-api), of its life and of its database (process). */
export function logLines(log: FastifyBaseLogger | Logger) {
  return {
    started: (at: { api: string; operations: string; database: string; queue?: string }) =>
      log.info(at, 'product-service is ready'),
    relayStarted: (at: { operations: string; database: string; queue: string }) => log.info(at, 'relay is ready'),
    forgettingFails: (reason: string) =>
      log.error({ reason }, 'idempotency keys past their 24 hours can not be deleted; the next try is in a minute'),
    forgettingWorks: (away_ms: number) =>
      log.info({ away_ms }, 'idempotency keys past their 24 hours are deleted again'),

    created: (change: Change) => log.info(change, 'product created'),
    updated: (change: Change) => log.info(change, 'product updated'),
    deleted: (change: Change) => log.info(change, 'product deleted'),
  }
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
    'wake-ups-lost': 'wake-ups of other processes do not arrive; the relay polls, every 25 ms while events come',
    'wake-ups-back': 'wake-ups of other processes arrive again',
    lanes: 'the lanes of this relay changed',
    pruned: 'processed events past their retention were deleted',
    'pruning-failed': 'processed events past their retention can not be deleted; the relay retries',
    'pruning-resumed': 'processed events past their retention can be deleted again',
    unsettled: 'the database refuses to mark what became of an event; the relay retries every 30 s',
  },
}

/** Writes the relay's reports as lines. */
export function logRelayReport(log: Logger, report: RelayReport): void {
  logReport(log, relayWording, report)
}

/** The key of an event is its product; its trace is that of the request that changed it. */
function ids({ key, eventId, type, headers }: OutboxEvent): Record<string, string> {
  const trace = traceFields(readTraceHeaders(headers.traceparent, undefined))
  return { ...trace, product_id: key, event_id: eventId, event_type: type }
}
