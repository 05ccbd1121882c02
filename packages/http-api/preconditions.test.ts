import { expect, test } from 'vitest'
import { readPreconditions } from './preconditions.ts'

const failed = (headers: object) => readPreconditions(headers)('"2"')

test('without preconditions nothing fails', () => {
  expect(failed({})).toBeUndefined()
})

test.each([
  ['"2"', undefined, 'if-none-match'],
  ['"1"', 'if-match', undefined],
  ['*', undefined, 'if-none-match'],
  [' * ', undefined, 'if-none-match'],
  ['"1", "2"', undefined, 'if-none-match'],
  ['"1","3"', 'if-match', undefined],
  ['"a,b", "2"', undefined, 'if-none-match'],
  [', "2",, ', undefined, 'if-none-match'],
  // If-Match compares strongly, If-None-Match weakly.
  ['W/"2"', 'if-match', 'if-none-match'],
  ['W/"1", W/"3"', 'if-match', undefined],
  ['""', 'if-match', undefined],
  ['"*"', 'if-match', undefined],
])('of the tags %s, If-Match fails as %s and If-None-Match as %s', (tags, ifMatch, ifNoneMatch) => {
  expect(failed({ 'if-match': tags })).toBe(ifMatch)
  expect(failed({ 'if-none-match': tags })).toBe(ifNoneMatch)
})

test('If-Match comes before If-None-Match', () => {
  expect(failed({ 'if-match': '"1"', 'if-none-match': '"2"' })).toBe('if-match')
})

test.each(['', ',', '2', '"', '"2', '"1" "2"', '"1", 2', '"",W/', 'w/"2"', '*, "2"', '"a b"', 'W/ "2"'])(
  'what is no list of tags is refused by name: %s',
  (tags) => {
    for (const field of ['if-match', 'if-none-match']) {
      expect(() => readPreconditions({ [field]: tags })).toThrow(
        expect.objectContaining({ problem: 'invalid-request', errors: [expect.objectContaining({ field })] }) as Error,
      )
    }
  },
)

test('a long header of nothing but commas and spaces is refused at once', () => {
  const before = performance.now()
  expect(() => readPreconditions({ 'if-match': ', '.repeat(8000) })).toThrow('headers')
  expect(performance.now() - before).toBeLessThan(5_000)
})
