import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  BENCH_CORES,
  LANES,
  MONTH_S,
  type Needs,
  needs,
  OTHER_USD,
  scalingBlocks,
  TASK_CORES,
  TASK_USD,
} from './scaling.ts'

const measured = { changes: 4_000, published: 6_000, stored: 3_000 }

/** The asking of an idle consumer: polls, and the two counts of its gauges. */
const asking = 1 / 3 + 2 / 5
const share = TASK_CORES / BENCH_CORES

test('a quiet system needs two of each, and pays for each event three calls and for the asking in between', () => {
  const { services, relays, consumers, databases, calls, standard } = needs(1, measured)
  expect([services, relays, consumers, databases]).toEqual([2, 2, 2, 1])
  expect(calls).toBeCloseTo(3 + 2 * asking)
  expect(standard).toBeCloseTo(((3 + 2 * asking) * MONTH_S * 0.4) / 1e6)
})

test('SQS is the smallest line of a quiet bill, and the bill is that of docs/aws.md', () => {
  const { standard, bill } = needs(0, measured)
  expect(standard).toBeCloseTo(1.54, 2)
  expect(bill).toBeCloseTo(8 * TASK_USD + OTHER_USD + standard)
  const aws = readFileSync(`${import.meta.dirname}/../docs/aws.md`, 'utf8')
  const production = (line: RegExp) =>
    aws
      .split('\n')
      .find((row) => line.test(row))
      ?.split('|')[3]
  expect(production(/^\| SQS/)).toContain(standard.toFixed(1))
  expect(production(/^\| \*\*a month/)).toContain(`about ${Math.round(bill / 10) * 10}`)
  expect(production(/^\| tasks/)).toContain(`8 × ${TASK_USD}`)
})

test('tasks are added when those that are there are busy half of the time', () => {
  expect(needs(2 * 2_000 * share, measured).services).toBe(2)
  expect(needs(2 * 2_000 * share + 1, measured).services).toBe(3)
  expect(needs(2 * 1_500 * share, measured).consumers).toBe(2)
  expect(needs(2 * 1_500 * share + 1, measured).consumers).toBe(3)
})

test('batches grow once events are more than the calls that can be made, and never beyond ten', () => {
  const withoutAsking = ({ calls, consumers }: Needs) => calls - consumers * asking
  expect(withoutAsking(needs(50, measured))).toBeCloseTo(3 * 50)
  expect(withoutAsking(needs(1_000, measured))).toBeLessThan(3 * 1_000)
  for (const rate of [1e3, 1e5, 1e7]) expect(needs(rate, measured).calls).toBeGreaterThan((3 * rate) / 10)
})

test('requests of a month beyond 100 and 200 billion have their own price', () => {
  const { calls, standard, fifo } = needs(1e6, { changes: 1e9, published: 1e9, stored: 1e9 })
  const month = calls * MONTH_S
  expect(month).toBeGreaterThan(200e9)
  expect(standard).toBeCloseTo(1e5 * 0.4 + 1e5 * 0.3 + ((month - 200e9) / 1e6) * 0.24, 0)
  expect(fifo).toBeGreaterThan(standard)
})

test('no database is given more relays than it has lanes', () => {
  for (const rate of [1e3, 1e5, 1e7]) expect(needs(rate, measured).relaysPerDatabase).toBeLessThanOrEqual(LANES)
})

test('there is a row for each of 10^3, 10^5 and 10^7 changes a day, an hour and a second', () => {
  const rows = scalingBlocks(measured, 'x.json').get('needs')?.split('\n').slice(2) ?? []
  expect(rows).toHaveLength(9)
  expect(rows[0]).toContain('1,000 a day')
  expect(rows[8]).toContain('10,000,000 a second')
})
