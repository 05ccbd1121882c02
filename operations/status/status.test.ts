import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import type { Look } from './scrape.ts'
import { screen, WIDTH } from './screen.ts'
import { statusOf } from './status.ts'
import { look } from './testing/looks.ts'

const calm = {
  'product-service': `http_request_duration_seconds_count{status="201"} 1000
dependency_up{dependency="database"} 1
dependency_up{dependency="queue"} 1
outbox_events{status="pending"} 0
outbox_events{status="failed"} 0
outbox_events{status="dead"} 0
outbox_oldest_pending_seconds 0
outbox_lanes_owned 64
outbox_lanes_without_relay 0`,
  'notification-service': `dependency_up{dependency="database"} 1
dependency_up{dependency="queue"} 1
queue_messages{state="visible"} 2
queue_messages{state="in_flight"} 1
queue_dead_letters 0
notification_receivers 1
notification_failures_total{reason="invalid"} 7
notification_failures_total{reason="refused"} 7
http_request_duration_seconds_count{status="200"} 1000`,
}
type Change = Partial<Record<keyof typeof calm, [from: string, to: string]>>

/** The status two seconds after all was well, when these lines had changed. */
function after(change: Change) {
  const looks = (at: number, changes: Change) =>
    (['product-service', 'notification-service'] as const).map((service) => {
      const [from, to] = changes[service] ?? ['', '']
      if (!calm[service].includes(from)) throw new Error(`no ${from}`)
      return look(service, at, calm[service].replace(from, to))
    })
  return statusOf(looks(0, {}), looks(2, change))
}

test('when all is well it says so, with the numbers of each step', () => {
  const status = after({})
  expect(status).toMatchObject({ ok: true, problems: [] })
  expect(status.steps.map(({ health }) => health)).toEqual(Array.from({ length: 7 }, () => 'ok'))
  expect(status.steps[2]).toMatchObject({ name: 'relay', backlog: 0, oldest_seconds: 0, note: '64 lanes' })
  expect(status.steps[3]).toMatchObject({ name: 'queue', backlog: 3 })
})

const products = 'product-service'
const notifications = 'notification-service'
test.each<[step: number, problem: string, Change]>([
  [1, '1 of 99 requests were', { [products]: ['1000', '1098\nhttp_request_duration_seconds_count{status="503"} 1'] }],
  [2, 'product-service has no database', { [products]: ['"database"} 1', '"database"} 0'] }],
  [3, 'SQS takes no events', { [products]: ['"queue"} 1', '"queue"} 0'] }],
  [3, 'events are held up: 0 events wait, the oldest for 11 s', { [products]: ['seconds 0', 'seconds 11'] }],
  [3, '1 lane without a relay', { [products]: ['without_relay 0', 'without_relay 1'] }],
  [3, '2 dead events', { [products]: ['"dead"} 0', '"dead"} 2'] }],
  [4, 'SQS does not answer notification-service', { [notifications]: ['"queue"} 1', '"queue"} 0'] }],
  [4, '1 message in the dead-letter queue', { [notifications]: ['dead_letters 0', 'dead_letters 1'] }],
  [5, 'no receiver is at work', { [notifications]: ['receivers 1', 'receivers 0'] }],
  [5, '1 receive of messages that are no events', { [notifications]: ['"invalid"} 7', '"invalid"} 8'] }],
  [6, 'notification-service has no database', { [notifications]: ['"database"} 1', '"database"} 0'] }],
  [6, 'refused 3 notifications', { [notifications]: ['"refused"} 7', '"refused"} 10'] }],
  [7, '1 abandoned delivery', { [notifications]: ['queue_dead', 'outbox_events{status="dead"} 1\nqueue_dead'] }],
  [7, '1 endpoint disabled', { [notifications]: ['queue_dead', 'channel_endpoints_disabled_total 1\nqueue_dead'] }],
])('step %d is wrong, and only that: %s', (step, problem, change) => {
  const status = after(change)
  expect(status.steps.filter(({ health }) => health !== 'ok').map(({ number }) => number)).toEqual([step])
  expect(status).toMatchObject({ ok: false, problems: [expect.stringContaining(problem)] })
})

test('while events leave, a gauge that says otherwise is older than that', () => {
  const sent = 'outbox_events_published_total 7'
  expect(after({ [products]: ['"queue"} 1', `"queue"} 0\n${sent}`] })).toMatchObject({ ok: true })
  expect(after({ [products]: ['seconds 0', `seconds 11\n${sent}`] }).problems).toEqual([
    'events are held up: 0 events wait, the oldest for 11 s; 4 a second leave',
  ])
})

test.each<Change>([
  { [products]: ['seconds 0', 'seconds 10'] },
  { [products]: ['{status="201"} 1000', '{status="201"} 1099\nhttp_request_duration_seconds_count{status="503"} 1'] },
  { [products]: ['"failed"} 0', '"failed"} 3'] },
])('short of that nothing is wrong: %j', (change) => {
  expect(after(change)).toMatchObject({ ok: true })
})

test('a gauge that the service can not read makes its step unknown, and the whole not well', () => {
  const pending = '{status="pending"}'
  const status = after({
    [products]: [
      `outbox_events${pending} 0
outbox_events{status="failed"} 0`,
      `outbox_events${pending} NaN
outbox_events{status="failed"} NaN`,
    ],
  })
  expect(status).toMatchObject({ ok: false, problems: [], unknown: ['relay'] })
  expect(screen(status, false)).toMatch(/Unknown: relay\.[^]*PostgreSQL and SQS were not\s+asked/)
  expect(screen(status, false)).not.toContain('Nothing is wrong.')
})

test('of a service without the newer metrics the screen shows what is there', () => {
  const old = look(products, 2, 'outbox_events{status="pending"} 5\noutbox_oldest_pending_seconds 1')
  const { steps } = statusOf([old], [old])
  expect(steps[2]).toMatchObject({ backlog: 5, oldest_seconds: 1, rate_per_second: null, health: 'ok', note: '' })
})

test('a process that does not answer is told plainly, and what only it knows is unknown', () => {
  const gone: Look = { service: notifications, url: 'http://x:8083', at: 0, kind: 'silent', reason: 'ECONNREFUSED' }
  const well = calm['product-service']
  const status = statusOf([look(products, 0, well), gone], [look(products, 2, well), gone])
  expect(status.problems).toEqual(['notification-service: no answer at http://x:8083 (ECONNREFUSED): it does not run'])
  expect(status.steps.map(({ health }) => health)).toEqual([
    'ok',
    'ok',
    'ok',
    'unknown',
    'unknown',
    'unknown',
    'unknown',
  ])
  expect(screen(status, false)).toMatch(/^notification-service {2}http:\/\/x:8083 {2}NO ANSWER$/m)
})

test('a process that takes connections and says nothing is frozen, not dead', () => {
  const frozen: Look = { service: products, url: 'http://x:8082', at: 0, kind: 'silent', reason: 'nothing within 5 s' }
  expect(statusOf([frozen], [frozen]).problems).toEqual([
    'product-service: no answer at http://x:8082 (nothing within 5 s): it is frozen, or too busy to answer',
  ])
})

test('a process that is not ready is told with the parts that it misses', () => {
  const missing = { database: "can't be used: ECONNREFUSED", queue: 'not found yet' }
  const { problems, ok } = statusOf([], [look(products, 2, '', 'http://x', missing)])
  expect({ problems, ok }).toEqual({
    problems: ["product-service at http://x is not ready: database can't be used: ECONNREFUSED; queue not found yet"],
    ok: false,
  })
})

test('the screen has 80 columns at most, and colours only where they are wanted', () => {
  const status = after({ [products]: ['seconds 0', 'seconds 86400'], [notifications]: ['receivers 1', 'receivers 0'] })
  const large = { ...status.steps[2]!, rate_per_second: 12_345, backlog: 1_000_000, oldest_seconds: 86_400 }
  status.steps[2] = large
  const text = screen(status, false)
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(WIDTH)
  expect(text).not.toContain('\x1b')
  expect(stripVTControlCharacters(screen(status, true))).toBe(text)
  expect(screen(status, true)).toContain('\x1b[31mWRONG')
})
