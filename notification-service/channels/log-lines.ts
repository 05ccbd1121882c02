import type { OutboxEvent, RelayReport } from 'outbox'
import { type Logger, readTraceHeaders } from 'telemetry'
import { type Destination, nameOf } from './delivery.ts'

export type ChannelLogLines = ReturnType<typeof channelLogLines>

/** What the channels log; the channel `log` itself is the line of each notification. */
export function channelLogLines(log: Logger) {
  return {
    disabled: (destination: Destination, reason: string) =>
      log.error(
        { endpoint: nameOf(destination), reason },
        'endpoint disabled: it gets nothing any more until somebody enables it',
      ),
    recipientsRejected: (event_id: string, recipients: string[]) =>
      log.warn({ event_id, recipients }, 'the mail server took the mail for others, but not for these recipients'),

    relay(report: RelayReport): void {
      switch (report.kind) {
        case 'published':
          if (!log.isLevelEnabled('debug')) return
          for (const event of report.events) log.debug(ids(event), 'delivered')
          return
        case 'postponed':
          return log.debug({ ...ids(report.event), retry_in_ms: report.delayMs }, 'delivery postponed: endpoint busy')
        case 'failed':
          return log.warn(
            {
              ...ids(report.event),
              reason: report.reason,
              attempts: report.event.attempts + 1,
              retry_in_ms: report.delayMs,
            },
            'delivery refused; it is tried again, and holds back its product at this endpoint until then',
          )
        case 'dead':
          return log.error({ ...ids(report.event), reason: report.reason }, 'delivery is dead: somebody has to look')
        case 'broker-away':
          return log.error({ reason: report.reason }, 'deliveries rest: none can be judged')
        case 'broker-back':
          return log.info({ away_ms: report.awayMs }, 'deliveries go on')
        case 'database-away':
          return log.error({ reason: report.reason }, 'deliveries can not be read; they wait for the database')
        case 'database-back':
          return log.info({ away_ms: report.awayMs }, 'deliveries can be read again')
        case 'lanes':
          return log.info({ owned: report.owned, of: report.of }, 'the lanes of deliveries of this instance changed')
        case 'pruned':
          return log.info({ events: report.events }, 'deliveries past their retention were deleted')
      }
    },
  }
}

function ids({ headers, key, eventId, type }: OutboxEvent): Record<string, string> {
  const endpoint = `${headers.channel}:${headers.endpoint}`
  const ids = { endpoint, product_id: key.slice(key.lastIndexOf(':') + 1), event_id: eventId, event_type: type }
  const trace = readTraceHeaders(headers.traceparent, undefined)
  return trace ? { trace_id: trace.traceId, ...ids } : ids
}
