import { logReport, type OutboxEvent, type RelayReport, type ReportWording } from '@product-events/outbox'
import { type Logger, readTraceHeaders, traceFields } from '@product-events/telemetry'
import { type Destination, nameOf } from './delivery.ts'

/** Rows of the outbox name the endpoints: their number is not ours. */
const MOST_UNKNOWN = 100

export type ChannelLogLines = ReturnType<typeof channelLogLines>

/** The lines of the channels. The channel `log` itself is the line of each notification. */
export function channelLogLines(log: Logger) {
  const unknownReasons = new Set<string>()
  return {
    /** Once for each reason: it stays true until the next start. */
    unknown({ headers }: OutboxEvent, reason: string): void {
      if (unknownReasons.has(reason) || unknownReasons.size >= MOST_UNKNOWN) return
      unknownReasons.add(reason)
      const endpoint = `${headers.channel}:${headers.endpoint}`
      log.warn({ endpoint, reason }, 'deliveries for this endpoint are refused, and abandoned after about a day')
    },
    refuses: (destination: Destination, reason: string) =>
      log.warn(
        { endpoint: nameOf(destination), reason },
        'endpoint refuses deliveries; each is retried, and blocks its product at this endpoint',
      ),
    acceptsAgain: (destination: Destination, away_ms: number) =>
      log.info({ endpoint: nameOf(destination), away_ms }, 'endpoint accepts deliveries again'),
    disabled: (destination: Destination, reason: string) =>
      log.error(
        { endpoint: nameOf(destination), reason },
        'endpoint disabled: it gets no delivery until an operator enables it',
      ),
    disabledUnreadable: (reason: string) =>
      log.error({ reason }, 'the list of disabled endpoints can not be read; deliveries go by the last one read'),
    disabledReadable: (away_ms: number) => log.info({ away_ms }, 'the list of disabled endpoints can be read again'),
    recipientsRejected: (event_id: string, recipients: string[]) =>
      log.warn({ event_id, recipients }, 'the mail server accepted the mail, but not for these recipients'),

    relay(report: RelayReport): void {
      // The endpoint's own line says it once; a line for each delivery and try would bury it.
      if (report.kind !== 'failed') return logReport(log, relayWording, report)
      const { event, reason, delayMs: retry_in_ms } = report
      log.debug({ ...ids(event), reason, attempts: event.attempts + 1, retry_in_ms }, relayWording.words.failed)
    },
  }
}

const relayWording: ReportWording = {
  ids,
  words: {
    published: 'delivered',
    postponed: 'delivery postponed',
    failed: 'delivery refused; it is retried, and blocks its product at this endpoint until then',
    dead: 'delivery abandoned: an operator can redrive it',
    'broker-away': 'deliveries rest: none can be judged',
    'broker-back': 'deliveries resume',
    'database-away': 'deliveries can not be read; they wait for the database',
    'database-back': 'deliveries can be read again',
    'wake-ups-lost':
      'wake-ups of other instances do not arrive; the relay of deliveries polls, every 25 ms while deliveries come',
    'wake-ups-back': 'wake-ups of other instances arrive again',
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
