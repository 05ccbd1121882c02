import { keepLines } from '../telemetry/testing/log.ts'
import { expect, test } from 'vitest'
import { logReport } from './log-report.ts'
import type { RelayReport } from './reports.ts'
import { sentEvent } from './testing/sent-event.ts'

const event = sentEvent('1')
const reports: { [Kind in RelayReport['kind']]: [Extract<RelayReport, { kind: Kind }>, lines: string[]] } = {
  published: [{ kind: 'published', events: [event, event], at: 0 }, ['debug: event_id', 'debug: event_id']],
  postponed: [{ kind: 'postponed', event, reason: 'busy', delayMs: 1 }, ['debug: event_id reason retry_in_ms']],
  failed: [{ kind: 'failed', event, reason: 'no', delayMs: 1 }, ['warn: attempts event_id reason retry_in_ms']],
  dead: [{ kind: 'dead', event, reason: 'no' }, ['error: event_id reason']],
  'broker-away': [{ kind: 'broker-away', reason: 'gone' }, ['error: reason']],
  'broker-back': [{ kind: 'broker-back', awayMs: 1 }, ['info: away_ms']],
  'database-away': [{ kind: 'database-away', reason: 'gone' }, ['error: reason']],
  'database-back': [{ kind: 'database-back', awayMs: 1 }, ['info: away_ms']],
  'wake-ups-lost': [{ kind: 'wake-ups-lost', reason: 'no' }, ['warn: reason']],
  'wake-ups-back': [{ kind: 'wake-ups-back', awayMs: 1 }, ['info: away_ms']],
  lanes: [{ kind: 'lanes', owned: 32, of: 64 }, ['info: of owned']],
  unsettled: [{ kind: 'unsettled', event, reason: 'no' }, ['error: event_id reason']],
  pruned: [{ kind: 'pruned', events: 1, at: 0 }, ['info: events']],
  'pruning-failed': [{ kind: 'pruning-failed', reason: 'no' }, ['error: reason']],
  'pruning-resumed': [{ kind: 'pruning-resumed', awayMs: 1 }, ['info: away_ms']],
}
const words = Object.fromEntries(Object.keys(reports).map((kind) => [kind, `about ${kind}`])) as Record<
  RelayReport['kind'],
  string
>

test.each(Object.entries(reports))('a report of %s has these levels and fields', (_kind, [report, lines]) => {
  const { log, take } = keepLines()
  logReport(log, { ids: ({ eventId }) => ({ event_id: eventId }), words }, report)
  expect(take()).toEqual(lines)
})

test('at info no line is written for an event that left', () => {
  const { log, take } = keepLines()
  log.level = 'info'
  logReport(log, { ids: () => ({}), words }, { kind: 'published', events: [event], at: 0 })
  expect(take()).toEqual([])
})

test('a pass over the retention that found nothing to delete writes no line', () => {
  const { log, take } = keepLines()
  logReport(log, { ids: () => ({}), words }, { kind: 'pruned', events: 0, at: 0 })
  expect(take()).toEqual([])
})
