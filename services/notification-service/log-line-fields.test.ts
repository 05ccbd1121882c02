import { expect, test } from 'vitest'
import { keepLines } from '../../packages/telemetry/testing/log.ts'
import { channelLogLines } from './channels/log-lines.ts'
import { type LogLines, logLines } from './log-lines.ts'
import type { NewNotification } from './notifications/notification.ts'

const { log, take } = keepLines()
const ours = logLines(log)
const channels = channelLogLines(log)
const message = { MessageId: 'm', Attributes: { ApproximateReceiveCount: '2' } }
const notification: NewNotification = {
  id: 'n',
  event_id: 'e',
  event_type: 'product.created',
  product_id: 'p',
  title: '',
  message: '',
  sequence: '1',
  occurred_at: '2026-01-01T00:00:00Z',
}
const at = { api: 'a', operations: 'o', database: 'd', queue: 'q' }
const entries = [{ message_id: 'm', reason: 'gone', retry: false }]

/** Whoever searches the log, or alerts on it, relies on these. */
const lines: { [Name in keyof LogLines]: [() => void, line: string] } = {
  started: [() => ours.started(at), 'info: api database operations queue'],
  sqsLost: [() => ours.sqsLost('gone'), 'error: reason'],
  sqsBack: [() => ours.sqsBack(3), 'info: away_ms'],
  databaseLost: [() => ours.databaseLost('gone'), 'error: reason'],
  databaseBack: [() => ours.databaseBack(3), 'info: away_ms'],
  notification: [
    () => ours.notification(notification),
    'info: event_id event_type notification_id product_id sequence',
  ],
  duplicate: [() => ours.duplicate(notification), 'debug: event_id event_type product_id sequence'],
  differentDuplicate: [() => ours.differentDuplicate(notification), 'warn: event_id event_type product_id sequence'],
  deadLettersUncounted: [() => ours.deadLettersUncounted('denied'), 'warn: reason'],
  deadLettersCounted: [() => ours.deadLettersCounted(1), 'info: away_ms'],
  parsingLost: [() => ours.parsingLost('bug'), 'error: reason'],
  parsingBack: [() => ours.parsingBack(3), 'info: away_ms'],
  unknownType: [() => ours.unknownType('product.painted', 'not known'), 'warn: event_type reason'],
  invalid: [() => ours.invalid(message, 'no JSON'), 'error: message_id reason receive_count'],
  refused: [
    () => ours.refused(message, notification, new Error('too long')),
    'error: event_id message_id product_id reason receive_count',
  ],
  feedLost: [() => ours.feedLost('gone'), 'error: reason'],
  feedBack: [() => ours.feedBack(3), 'info: away_ms'],
  streamCutOff: [() => ours.streamCutOff(), 'warn:'],
  sweepFails: [() => ours.sweepFails(''), 'error: reason'],
  sweepWorks: [() => ours.sweepWorks(1), 'info: away_ms'],
  swept: [() => ours.swept(1), 'info: notifications'],
  notDeleted: [() => ours.notDeleted(entries), 'warn: entries'],
  notHidden: [() => ours.notHidden(entries), 'warn: entries'],
}

test.each(Object.entries(lines))('%s has its level and its fields', (_name, [write, line]) => {
  write()
  expect(take()).toEqual([line])
})

test('the lines of the channels have their levels and fields', () => {
  channels.disabled({ channel: 'webhook', endpoint: 'shop' }, '410 Gone')
  channels.recipientsRejected('e', ['a@b.example'])
  channels.relay({
    kind: 'dead',
    event: { key: 'webhook:shop:p', eventId: 'e', type: 't', headers: {} } as never,
    reason: 'no',
  })
  expect(take()).toEqual([
    'error: endpoint reason',
    'warn: event_id recipients',
    'error: endpoint event_id event_type product_id reason',
  ])
})
