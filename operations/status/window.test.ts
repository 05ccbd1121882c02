import { expect, test } from 'vitest'
import { look } from './testing/looks.ts'
import { quantile, windowOf } from './window.ts'

const one = (at: number, text: string) => look('product-service', at, text, 'http://one')
const two = (at: number, text: string) => look('product-service', at, text, 'http://two')

test('rates and increases are the difference of two looks, over all labels and instances', () => {
  const before = [one(0, 'a_total{x="1"} 10\na_total{x="2"} 1'), two(0, 'a_total{x="1"} 5')]
  const after = [one(2, 'a_total{x="1"} 14\na_total{x="2"} 1\na_total{x="3"} 2'), two(4, 'a_total{x="1"} 9')]
  const window = windowOf(before, after)
  expect(window.increase('a_total')).toBe(10)
  expect(window.rate('a_total')).toBe(6 / 2 + 4 / 4)
  expect(window.increase('a_total', { x: '3' })).toBe(2)
  expect(window.increase('a_total', { x: /^[12]$/ })).toBe(8)
})

test('a process that was started anew in between counts from nought', () => {
  expect(windowOf([one(0, 'a_total 100')], [one(2, 'a_total 6')]).rate('a_total')).toBe(3)
})

test('what nobody tells of, or only a process that did not answer before, is unknown', () => {
  const silent = { ...one(0, ''), kind: 'silent' as const, reason: 'gone' }
  expect(windowOf([one(0, '')], [one(2, '')]).rate('a_total')).toBeUndefined()
  expect(windowOf([silent], [one(2, 'a_total 7')]).rate('a_total')).toBeUndefined()
  expect(windowOf([silent], [one(2, 'a 7')]).sum('a')).toBe(7)
})

test('gauges are added up or compared; NaN, which a service says when it does not know, is unknown', () => {
  const { sum, most, least } = windowOf([], [one(2, 'a 1\nb NaN'), two(2, 'a 3\nb NaN')])
  expect([sum('a'), most('a'), least('a')]).toEqual([4, 3, 1])
  expect([sum('b'), most('b'), least('b')]).toEqual([undefined, undefined, undefined])
})

test('a percentile is that of the new observations, spread evenly within their bucket', () => {
  const text = (counts: number[]) =>
    ['0.1', '0.2', '+Inf'].map((le, index) => `d_bucket{le="${le}"} ${counts[index]}`).join('\n')
  expect(windowOf([one(0, text([100, 100, 100]))], [one(2, text([100, 110, 110]))]).p95('d')).toBeCloseTo(0.195)
  expect(windowOf([one(0, text([5, 5, 5]))], [one(2, text([5, 5, 5]))]).p95('d')).toBeUndefined()
})

test.each([
  [0.5, 0.5],
  [1, 1],
])('quantile %d of ten observations up to 1 is %d; above the last bound, that bound', (q, expected) => {
  expect(
    quantile(q, [
      [1, 10],
      [Infinity, 10],
    ]),
  ).toBe(expected)
  expect(
    quantile(q, [
      [1, 0],
      [Infinity, 10],
    ]),
  ).toBe(1)
})
