import { type AwayPart, type Message, type Report, waitSeconds } from '@product-events/inbox'
import type { SpanContext } from '@product-events/telemetry'
import type { LogLines } from './log-lines.ts'
import type { Metrics } from './metrics.ts'
import type { NotifiableEvent } from './notifiable-event.ts'

/** Turns the inbox's reports into log lines and metrics. */
export function reportTo(
  log: LogLines,
  metrics: Metrics,
  contextOf: (message: Message) => SpanContext | undefined,
): Report<NotifiableEvent> {
  const away = (what: AwayPart) =>
    what === 'queue' ? log.sqsLost : what === 'parse' ? log.parsingLost : log.databaseLost
  const back = (what: AwayPart) =>
    what === 'queue' ? log.sqsBack : what === 'parse' ? log.parsingBack : log.databaseBack

  return (report) => {
    switch (report.kind) {
      case 'received':
        return metrics.received(report.messages.map(waitSeconds))
      case 'handled':
        return metrics.handled(report.seconds)
      case 'receivers':
        return metrics.receivers(report.active)
      case 'stored': {
        const { event, message, delaySeconds } = report
        const trace = contextOf(message)
        if (event.unknown !== undefined) log.unknownType(event.type, event.unknown, trace)
        metrics.notified(event.unknown === undefined ? event.type : 'unknown', delaySeconds ?? 0)
        return log.notification(event.notification, trace)
      }
      case 'duplicate': {
        metrics.duplicate()
        const trace = contextOf(report.message)
        const tell = report.differs ? log.differentDuplicate : log.duplicate
        return tell(report.event.notification, trace)
      }
      case 'refused':
        metrics.failure('refused')
        return log.refused(report.message, report.event.notification, report.error, contextOf(report.message))
      case 'invalid':
        metrics.failure('invalid')
        return log.invalid(report.message, report.reason, contextOf(report.message))
      case 'away':
        return away(report.what)(report.reason)
      case 'back':
        return back(report.what)(report.awayMs)
      case 'not-deleted':
        return log.notDeleted(report.entries)
      case 'not-hidden':
        return log.notHidden(report.entries)
      // The service knows no stale or unhandled events, and `notifications/sweep.ts` deletes.
      case 'stale':
      case 'unhandled':
      case 'pruned':
    }
  }
}
