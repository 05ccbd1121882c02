import type { RelayReport } from './reports.ts'
import type { OutboxEvent } from './send.ts'

type Kind = RelayReport['kind']
type Write = (fields: object, wording: string) => void

/** As much of a logger (pino's) as is needed. */
export interface ReportLog {
  debug: Write
  info: Write
  warn: Write
  error: Write
  isLevelEnabled(level: 'debug'): boolean
}

/** The service's word for its events. */
export interface ReportWording {
  /** The fields by which its people know an event. */
  ids: (event: OutboxEvent) => Record<string, string>
  /** The wording of each kind of report. */
  words: Record<Kind, string>
}

/**
 * Writes a report as one line: the levels and fields are the same for all relays, the wording is the service's own. One
 * line an event is `debug`: at `info` the change itself has its line already.
 */
export function logReport(log: ReportLog, { ids, words }: ReportWording, report: RelayReport): void {
  const wording = words[report.kind]
  switch (report.kind) {
    case 'published':
      if (!log.isLevelEnabled('debug')) return
      for (const event of report.events) log.debug(ids(event), wording)
      return
    case 'postponed':
      return log.debug({ ...ids(report.event), reason: report.reason, retry_in_ms: report.delayMs }, wording)
    case 'failed': {
      const attempts = report.event.attempts + 1
      return log.warn({ ...ids(report.event), reason: report.reason, attempts, retry_in_ms: report.delayMs }, wording)
    }
    case 'dead':
    case 'unsettled':
      return log.error({ ...ids(report.event), reason: report.reason }, wording)
    case 'broker-away':
    case 'database-away':
    case 'pruning-failed':
      return log.error({ reason: report.reason }, wording)
    case 'broker-back':
    case 'database-back':
    case 'pruning-resumed':
    case 'wake-ups-back':
      return log.info({ away_ms: report.awayMs }, wording)
    case 'wake-ups-lost':
      return log.warn({ reason: report.reason }, wording)
    case 'lanes':
      return log.info({ owned: report.owned, of: report.of }, wording)
    case 'pruned':
      if (report.events > 0) log.info({ events: report.events }, wording)
      return
  }
}
