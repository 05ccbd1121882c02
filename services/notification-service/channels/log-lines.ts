import { logReport, type OutboxEvent, type RelayReport, type ReportWording } from '@product-events/outbox'
import { type Logger, readTraceHeaders, traceFields } from '@product-events/telemetry'
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

    relay: (report: RelayReport) => logReport(log, relayWording, report),
  }
}

/** What the relay of deliveries tells of. */
const relayWording: ReportWording = {
  ids,
  words: {
    published: 'delivered',
    postponed: 'delivery postponed: endpoint busy',
    failed: 'delivery refused; it is tried again, and holds back its product at this endpoint until then',
    dead: 'delivery is dead: somebody has to look',
    'broker-away': 'deliveries rest: none can be judged',
    'broker-back': 'deliveries go on',
    'database-away': 'deliveries can not be read; they wait for the database',
    'database-back': 'deliveries can be read again',
    lanes: 'the lanes of deliveries of this instance changed',
    pruned: 'deliveries past their retention were deleted',
    'pruning-failed': 'deliveries past their retention can not be deleted; the relay retries',
    'pruning-resumed': 'deliveries past their retention can be deleted again',
    unsettled: 'the database refuses to mark what became of a delivery; the relay retries every 30 s',
  },
}

function ids({ headers, key, eventId, type }: OutboxEvent): Record<string, string> {
  const endpoint = `${headers.channel}:${headers.endpoint}`
  const trace = traceFields(readTraceHeaders(headers.traceparent, undefined))
  return { ...trace, endpoint, product_id: key.slice(key.lastIndexOf(':') + 1), event_id: eventId, event_type: type }
}
