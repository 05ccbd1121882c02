import { expect, test } from 'vitest'
import type { Look } from '../../status/scrape.ts'
import { findingsOf, needsYou, verdictOf } from './verdict.ts'
import type { NotificationsSide, ProductsSide, View } from './view.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const relay = { id: 'r', name: 'host:1', lease_seconds: 9 }
const empty = { pending: 0, failed: 0, dead: 0, oldest_seconds: 0 }
const lanes = { owners: Array.from({ length: 64 }, () => 'r'), relays: [relay] }
const products: ProductsSide = { backlog: empty, lanes, events: [] }
const notifications: NotificationsSide = { backlog: empty, lanes, stored: new Map(), failing: [], disabled: [] }
const ready: Look[] = (['product-service', 'notification-service'] as const).map((service) => ({
  service,
  url: `http://${service}`,
  at: 0,
  kind: 'answered',
  metrics: new Map(),
  missing: {},
}))

function view(changes: Partial<View> = {}): View {
  const answered = <Value>(value: Value) => ({ kind: 'answered' as const, value, at: NOW })
  return {
    now: NOW,
    before: ready,
    after: ready,
    products: answered(products),
    notifications: answered(notifications),
    queue: answered({ visible: 0, in_flight: 0, delayed: 0, dead_letters: 0 }),
    ...changes,
  }
}

const answered = <Value>(value: Value) => ({ kind: 'answered' as const, value, at: NOW })
const silent = <Value>(last: Value) => ({
  kind: 'silent' as const,
  reason: 'connect ECONNREFUSED',
  since: NOW - 46_000,
  last,
})
const waiting: ProductsSide = { ...products, backlog: { ...empty, pending: 177, oldest_seconds: 46 } }
const poison = {
  message_id: 'm',
  event_id: null,
  reason: 'the body is no JSON',
  failures: 2,
  first_failed_at: new Date(NOW),
  last_failed_at: new Date(NOW),
}

test.each<[string, Partial<View>, string, string]>([
  ['all is well', {}, 'good', 'Every event arrives.'],
  ['nothing is known yet', { products: { kind: 'asking' } }, 'unknown', 'One moment.'],
  [
    'SQS is gone',
    { queue: silent(undefined), products: answered(waiting) },
    'wrong',
    'SQS is unreachable. 177 events wait in the outbox, and none is lost.',
  ],
  [
    'both databases are gone',
    { products: silent(products), notifications: silent(notifications) },
    'wrong',
    'PostgreSQL is unreachable.',
  ],
  [
    'one database is gone',
    { notifications: silent(notifications) },
    'wrong',
    'PostgreSQL of notification-service is unreachable.',
  ],
  [
    'a process is frozen',
    { after: [{ ...ready[0]!, kind: 'silent', reason: 'does not answer' }, ready[1]!] },
    'wrong',
    'product-service does not answer.',
  ],
  [
    'no relay is alive',
    { products: answered({ ...waiting, lanes: { owners: lanes.owners, relays: [{ ...relay, lease_seconds: -1 }] } }) },
    'wrong',
    'No relay is alive. 177 events wait in the outbox.',
  ],
  [
    'events are held up',
    { products: answered(waiting) },
    'wrong',
    '177 events wait in the outbox, the oldest for 46 s.',
  ],
  [
    'a message fails',
    { notifications: answered({ ...notifications, failing: [poison] }) },
    'wrong',
    '1 message fails at the consumer: the body is no JSON.',
  ],
  [
    'an event is dead',
    { products: answered({ ...products, backlog: { ...empty, dead: 1 } }) },
    'busy',
    '1 thing needs you.',
  ],
])('%s', (_, changes, level, headline) => {
  const now = view(changes)
  expect(verdictOf(now, findingsOf(now))).toMatchObject({ level, headline })
})

test('what waits behind a cause is no finding of its own, and what else is wrong is named', () => {
  const now = view({
    queue: silent(undefined),
    products: answered(waiting),
    notifications: answered({ ...notifications, failing: [poison] }),
  })
  const { detail } = verdictOf(now, findingsOf(now))
  expect(detail).toContain('Since 11:59:14, 46 s ago: connect ECONNREFUSED.')
  expect(detail).toContain('Also: 1 message fails')
  expect(detail).not.toContain('the oldest for')
})

test('every kind of thing that waits for an operator counts', () => {
  const now = view({
    products: answered({ ...products, backlog: { ...empty, dead: 2 } }),
    notifications: answered({
      ...notifications,
      backlog: { ...empty, dead: 3 },
      failing: [poison],
      disabled: [{ endpoint: 'shop', reason: '410' }],
    }),
    queue: answered({ visible: 9, in_flight: 0, delayed: 0, dead_letters: 4 }),
  })
  expect(needsYou(now)).toBe(11)
})
