import { expect, test } from 'vitest'
import { keepLines } from '../../packages/telemetry/testing/log.ts'
import { logLines, logRelayReport } from './log-lines.ts'

const { log, take } = keepLines()
const change = { product_id: 'p', event_id: 'e' }
const at = { operations: 'http://127.0.0.1:8082', database: 'postgres://host/products', queue: 'http://sqs/queue' }

/** Whoever searches the log, or alerts on it, relies on these. */
const lines: { [Name in keyof typeof logLines]: [() => void, line: string] } = {
  migrated: [() => logLines.migrated(log, ['0001']), 'info: migrations'],
  waiting: [() => logLines.waiting(log, 'the queue', 'gone'), 'warn: reason'],
  started: [
    () => logLines.started(log, { ...at, api: 'http://127.0.0.1:8080' }),
    'info: api database operations queue',
  ],
  relayStarted: [() => logLines.relayStarted(log, at), 'info: database operations queue'],
  stopping: [() => logLines.stopping(log, 'SIGTERM'), 'info: signal'],
  stopped: [() => logLines.stopped(log), 'info:'],
  crashed: [() => logLines.crashed(log, new Error('bug')), 'fatal: err'],
  connectionLost: [() => logLines.connectionLost(log, new Error('reset')), 'warn: reason'],
  created: [() => logLines.created(log, change), 'info: event_id product_id'],
  updated: [() => logLines.updated(log, change), 'info: event_id product_id'],
  deleted: [() => logLines.deleted(log, change), 'info: event_id product_id'],
}

test.each(Object.entries(lines))('%s has its level and its fields', (_name, [write, line]) => {
  write()
  expect(take()).toEqual([line])
})

test('what the relay tells of an event has the ids that lead from its request to its notification', () => {
  const event = { key: 'p', eventId: 'e', type: 'product.created', headers: {} } as never
  logRelayReport(log, { kind: 'dead', event, reason: 'too large' })
  expect(take()).toEqual(['error: event_id event_type product_id reason'])
  const headers = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
  const traced = { key: 'p', eventId: 'e', type: 'product.created', headers } as never
  logRelayReport(log, { kind: 'dead', event: traced, reason: 'too large' })
  expect(take()).toEqual(['error: event_id event_type product_id reason trace_id'])
})
