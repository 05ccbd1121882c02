import { expect, test } from 'vitest'
import { parseExposition } from './exposition.ts'

test('samples are read with their labels, escapes undone, and comments passed over', () => {
  const text = [
    '# HELP a_total What it is',
    '# TYPE a_total counter',
    'a_total 3',
    'b{method="GET",path="/a\\"b\\\\c\\nd, e}"} 1.5e-3',
    'b{} 2 1700000000000',
    '',
  ].join('\n')
  expect(Object.fromEntries(parseExposition(text))).toEqual({
    a_total: [{ labels: {}, value: 3 }],
    b: [
      { labels: { method: 'GET', path: '/a"b\\c\nd, e}' }, value: 0.0015 },
      { labels: {}, value: 2 },
    ],
  })
})

test.each([
  ['+Inf', Infinity],
  ['-Inf', -Infinity],
  ['Nan', NaN],
])('%s is a number', (text, value) => {
  expect(parseExposition(`a ${text}`).get('a')).toEqual([{ labels: {}, value }])
})

test('what is no metrics is an error that shows it', () => {
  expect(() => parseExposition('<!doctype html>\n<p>Welcome')).toThrow('no line of metrics: <!doctype html>')
})
