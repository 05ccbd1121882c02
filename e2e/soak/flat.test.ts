import { expect, test } from 'vitest'
import { notFlat, type Sample } from './flat.ts'

const MIB = 1024 * 1024
const steady: Sample = {
  eventsPerSecond: 100,
  oldestPendingSeconds: 0,
  deadTuples: 10_000,
  rows: 6_000,
  tableBytes: 40 * MIB,
  indexBytes: 8 * MIB,
  productServiceBytes: 100 * MIB,
  notificationServiceBytes: 100 * MIB,
}
/** Six minutes; `change` is applied to those from the given one on. */
const run = (change: Partial<Sample> = {}, from = 6, to = 6): Sample[] =>
  [1, 2, 3, 4, 5, 6].map((minute) => ({ ...steady, ...(minute >= from && minute <= to && change) }))

test('a run that stays as it was is flat, whatever its first two minutes were', () => {
  expect(notFlat(run(), 100)).toEqual([])
  expect(notFlat(run({ tableBytes: MIB, productServiceBytes: MIB, eventsPerSecond: 1 }, 1, 2), 100)).toEqual([])
})

test('one high minute among the last two is a saw, two are growth', () => {
  expect(notFlat(run({ deadTuples: 50_000 }, 6), 100)).toEqual([])
  expect(notFlat(run({ deadTuples: 50_000 }, 5), 100)).toEqual(['deadTuples grew from 10000 to 50000'])
})

test.each<[keyof Sample, number]>([
  ['oldestPendingSeconds', 1],
  ['deadTuples', 12_500 + 20_000],
  ['tableBytes', 51 * MIB],
  ['indexBytes', 11 * MIB],
  ['productServiceBytes', 149 * MIB],
  ['notificationServiceBytes', 149 * MIB],
])('%s may end a quarter and its slack above the beginning, and not a bit more', (name, most) => {
  expect(notFlat(run({ [name]: most }, 5), 100)).toEqual([])
  expect(notFlat(run({ [name]: most + 1 }, 5), 100)).toHaveLength(1)
})

test('each minute must bring nine tenths of what was asked for', () => {
  expect(notFlat(run({ eventsPerSecond: 90 }, 4, 4), 100)).toEqual([])
  expect(notFlat(run({ eventsPerSecond: 89.9 }, 4, 4), 100)).toEqual([
    '89.9 events/s in a minute, and 100 were written',
  ])
})
