import { expect, test } from 'vitest'
import { keepLines } from '../../packages/telemetry/testing/log.ts'
import { type ProcessLogLines, processLogLines } from '@product-events/process/service'
import { type LogLines, logLines, logRelayReport } from './log-lines.ts'

const { log, take } = keepLines()
const change = { product_id: 'p', event_id: 'e' }
const at = { operations: 'http://127.0.0.1:8082', database: 'postgres://host/products', queue: 'http://sqs/queue' }

const ours = logLines(log)
const life = processLogLines(log)

/** People search the log for these, and alerts rely on them. */
const lines: { [Name in keyof (LogLines & ProcessLogLines)]: [() => void, line: string] } = {
  migrated: [() => life.migrated(['0001']), 'info: migrations'],
  waiting: [() => life.waiting('the queue', 'gone'), 'warn: reason'],
  stopping: [() => life.stopping('SIGTERM'), 'info: signal'],
  stopped: [() => life.stopped(), 'info:'],
  crashed: [() => life.crashed(new Error('bug')), 'fatal: err'],
  warned: [() => life.warned(new Error('deprecated')), 'warn: reason'],
  queueMade: [() => life.queueMade('orders'), 'warn: queue'],
  connectionLost: [() => life.connectionLost(new Error('reset')), 'warn: reason'],
  databaseLost: [() => life.databaseLost('gone'), 'error: reason'],
  loginRefused: [() => life.loginRefused('password'), 'error: reason'],
  databaseNeedsOperator: [() => life.databaseNeedsOperator('read-only'), 'error: reason'],
  databaseBack: [() => life.databaseBack(3, 4), 'info: away_ms refused'],
  started: [() => ours.started({ ...at, api: 'http://127.0.0.1:8080' }), 'info: api database operations queue'],
  relayStarted: [() => ours.relayStarted(at), 'info: database operations queue'],
  forgettingFails: [() => ours.forgettingFails('gone'), 'error: reason'],
  forgettingWorks: [() => ours.forgettingWorks(3), 'info: away_ms'],
  created: [() => ours.created(change), 'info: event_id product_id'],
  updated: [() => ours.updated(change), 'info: event_id product_id'],
  deleted: [() => ours.deleted(change), 'info: event_id product_id'],
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
