import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type AtRest, judgeLive, judgeRest, LIVE_WITHIN_MS, type Probe } from './health.ts'
import { stateLines, watchStates } from './states.ts'

const [state] = stateLines
const [lost, otherLost, back] = [state!.lost[0]!, state!.lost[1]!, state!.back]

function liesOf(lines: object[]): string[] {
  const lies: string[] = []
  const watch = watchStates('API 1', (what) => lies.push(what))
  for (const line of lines) watch.read(JSON.stringify(line))
  return lies
}

test('lost and back in turn are true, also for two endpoints at once', () => {
  const [refuses, accepts] = [
    'endpoint refuses deliveries; each is retried, and blocks its product at this endpoint',
    'endpoint accepts deliveries again',
  ]
  expect(liesOf([{ msg: lost }, { msg: back }, { msg: otherLost }, { msg: 'product created' }, { msg: back }])).toEqual(
    [],
  )
  const endpoints = [
    { msg: refuses, endpoint: 'webhook:a' },
    { msg: refuses, endpoint: 'webhook:b' },
    { msg: accepts, endpoint: 'webhook:a' },
    { msg: refuses, endpoint: 'webhook:a' },
  ]
  expect(liesOf(endpoints)).toEqual([])
})

test('a second lost without a back is found, in whatever words, and a back of nothing lost', () => {
  expect(liesOf([{ msg: lost }, { msg: lost }])).toHaveLength(1)
  expect(liesOf([{ msg: lost }, { msg: otherLost }])).toHaveLength(1)
  expect(liesOf([{ msg: back }])).toHaveLength(1)
  expect(liesOf([{ msg: lost }, { msg: back }, { msg: back }])).toHaveLength(1)
})

test('a process that works but left a state lost is found, unless only work shows that it is over', () => {
  const watch = watchStates('relay 1', () => {})
  watch.read(JSON.stringify({ msg: lost }))
  watch.read(
    JSON.stringify({ msg: 'endpoint refuses deliveries; each is retried, and blocks its product at this endpoint' }),
  )
  watch.read('(node:1) Warning: not a line of the logger')
  expect(watch.lacks()).toEqual([`${lost} or ${otherLost}`])
})

test('each state line is one that the services write, word for word', () => {
  const root = `${import.meta.dirname}/../..`
  const written = globSync('{services,packages}/**/log-lines.ts', { cwd: root })
    .map((file) => readFileSync(`${root}/${file}`, 'utf8'))
    .join('')
  for (const line of stateLines.flatMap(({ lost, back }) => [...lost, back])) expect(written).toContain(`'${line}'`)
})

const quiet: Probe = { process: 'API 1', answer: 200, ms: 3, askerLateMs: 0, undisturbed: true, started: true }

test.each<[string, Partial<Probe>]>([
  ['quick', {}],
  ['late, of a process that was frozen', { ms: 9_000, undisturbed: false }],
  ['none, of a process that is starting', { answer: 'ECONNREFUSED', started: false }],
  ['late, as the asker was itself', { ms: 5_500, askerLateMs: 5_400 }],
])('an answer of /health/live is no violation: %s', (_what, probe) => {
  expect(judgeLive({ ...quiet, ...probe })).toBeUndefined()
})

test('a late answer of /health/live, another one and none are violations', () => {
  expect(judgeLive({ ...quiet, ms: LIVE_WITHIN_MS + 1 })).toMatch(/after 5001 ms/)
  expect(judgeLive({ ...quiet, answer: 503 })).toMatch(/503/)
  expect(judgeLive({ ...quiet, answer: 'ECONNREFUSED' })).toMatch(/ECONNREFUSED/)
})

const metrics = `outbox_lanes_without_relay 0
outbox_events{status="pending"} 0
outbox_events{status="failed"} 2
outbox_events{status="dead"} 0
queue_dead_letters 0
dependency_up{dependency="database"} 1
process_cpu_seconds_total 12.5
`
const atRest: AtRest = {
  process: 'relay 1',
  ready: { status: 200, body: '{}' },
  metrics,
  lacks: [],
  events: { pending: 0, failed: 2, dead: 0 },
}

test('a service at rest whose words are true is no violation', () => {
  expect(judgeRest(atRest)).toEqual([])
})

test.each<[string, Partial<AtRest>, RegExp]>([
  ['not ready', { ready: { status: 503, body: 'database' } }, /not ready/],
  ['other events than its table', { events: { pending: 0, failed: 0, dead: 0 } }, /outbox_events\{status="failed"\} 2/],
  ['lanes without a relay', { metrics: metrics.replace('relay 0', 'relay 4') }, /outbox_lanes_without_relay 4/],
  ['a dead letter', { metrics: metrics.replace('letters 0', 'letters 1') }, /queue_dead_letters 1/],
  ['unknown', { metrics: metrics.replace('letters 0', 'letters NaN') }, /NaN/],
  ['no gauge at all', { metrics: '' }, /no gauge/],
  ['a dependency down', { metrics: metrics.replace('"} 1', '"} 0') }, /dependency_up/],
  ['its queue down', { metrics: `${metrics}dependency_up{dependency="queue"} 0\n` }, /dependency="queue"\} 0/],
  ['a state lost', { lacks: [lost] }, /last word/],
])('a service at rest that says what is not so is found: %s', (_what, change, found) => {
  expect(judgeRest({ ...atRest, ...change }).join('\n')).toMatch(found)
})
