import { expect, test } from 'vitest'
import { ALL_OF_FIRST, ONE_OF, sampleLines, SLOW_MS } from './sample-lines.ts'

const good = { status: 201, duration_ms: 3 }
let clockMs = 0
const now = () => clockMs

/** For how many requests each line stands that is written of `count` good ones at once. */
function lines(sample: ReturnType<typeof sampleLines>, count: number, answered = good): number[] {
  return Array.from({ length: count }, () => sample(answered)).flatMap((line) =>
    line.kind === 'written' ? [line.standsFor] : [],
  )
}
const each = (count: number) => Array.from({ length: count }, () => 1)

test('up to a hundred a second have each a line of their own, second after second', () => {
  const sample = sampleLines(now)
  for (clockMs = 0; clockMs < 5_000; clockMs += 1_000) expect(lines(sample, ALL_OF_FIRST)).toEqual(each(ALL_OF_FIRST))
})

test('above that one of a hundred has, and says for how many it stands', () => {
  const sample = sampleLines(now)
  expect(lines(sample, ALL_OF_FIRST + ONE_OF - 1)).toEqual(each(ALL_OF_FIRST))
  expect(lines(sample, 1)).toEqual([ONE_OF])
  expect(lines(sample, 10_000 - ALL_OF_FIRST - ONE_OF)).toHaveLength(98)
})

test('what was left out is told by the first line of the next second: the lines add up to the requests', () => {
  const sample = sampleLines(now)
  clockMs = 999
  lines(sample, ALL_OF_FIRST + 42)
  clockMs = 1_000
  expect(lines(sample, 2)).toEqual([43, 1])
})

test('refusals, failures and slow answers are always told, each alone, and take the place of no other', () => {
  const sample = sampleLines(now)
  for (const told of [
    { status: 400, duration_ms: 1 },
    { status: 503, duration_ms: 1 },
    { status: 200, duration_ms: SLOW_MS },
  ]) {
    expect(lines(sample, 1_000, told)).toEqual(each(1_000))
  }
  expect(lines(sample, 1_000, { status: 399, duration_ms: SLOW_MS - 1 })).toHaveLength(ALL_OF_FIRST + 9)
})
