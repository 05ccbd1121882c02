import { expect, test } from 'vitest'
import { age, duration, plural, ranges, table } from './index.ts'

test('columns are as wide as they need, wide and combining characters counted as a terminal draws them', () => {
  expect(
    table(
      ['A', 'NAME', 'N'],
      [
        ['1', '緑茶', 3],
        [null, 'e\u0301', 12],
      ],
    ),
  ).toBe(['A  NAME  N', '1  緑茶  3', '-  e\u0301     12', ''].join('\n'))
})

test('a long cell is cut between code points, and one of marks alone as well', () => {
  const [, row = ''] = table(['TEXT'], [['😀'.repeat(100)]]).split('\n')
  expect(row).toBe(`${'😀'.repeat(29)}…`)
  expect(table(['TEXT'], [['\u0301'.repeat(9_999)]]).length).toBeLessThan(300)
  expect(table(['TEXT'], [['x'.repeat(60)]])).toContain('x'.repeat(60))
  expect(table(['TEXT'], [['x'.repeat(61)]])).toContain(`${'x'.repeat(59)}…`)
})

test('a cell can not break its row', () => {
  expect(table(['A', 'B'], [['x\ny\x1b[1A', '\u2028']]).split('\n')).toHaveLength(3)
})

test('rows without headings stand alone', () => {
  expect(
    table(
      ['', ''],
      [
        ['name', 'Tea'],
        ['id', 7],
      ],
    ),
  ).toBe('name  Tea\nid    7\n')
})

test.each([
  [0.0004, '0 ms'],
  [0.25, '250 ms'],
  [1.25, '1.3 s'],
  [12.4, '12 s'],
  [119, '119 s'],
  [120, '2 min'],
  [7_199, '120 min'],
  [7_200, '2 h'],
  [172_799, '48 h'],
  [172_800, '2 d'],
  [-3, '-3 s'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})

test('ages, ranges and plurals', () => {
  expect(age(new Date(1_000), 13_000)).toBe('12 s')
  expect([age(null, 1), age(new Date(2_000), 1_000)]).toEqual(['-', '0 ms'])
  expect([ranges([0, 1, 2, 5, 7, 8]), ranges([])]).toEqual(['0-2, 5, 7-8', ''])
  expect([plural(1, 'lane'), plural(2, 'lane'), plural(0, 'delivery', 'deliveries')]).toEqual([
    '1 lane',
    '2 lanes',
    '0 deliveries',
  ])
})
