import fc from 'fast-check'
import { expect, test } from 'vitest'
import { judgeStream } from './stream.ts'

const lists = fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 30 })

test('a stream that equals the list is no violation', () => {
  fc.assert(
    fc.property(lists, (list) => {
      expect(judgeStream('consumer 1', list, list)).toBeUndefined()
    }),
  )
})

test.each<[string, (list: string[], at: number) => string[], RegExp]>([
  ['a notification is missing', (list, at) => list.toSpliced(at, 1), /never showed 1 of/],
  ['a notification comes twice', (list, at) => list.toSpliced(at, 0, list[at]!), /twice/],
  ['two change places', (list, at) => list.with(at, list[at + 1]!).with(at + 1, list[at]!), /follows it/],
  ['one is in no list', (list, at) => list.toSpliced(at, 0, 'stray'), /not in the list/],
  ['nothing came', () => [], /never showed/],
])('a stream is found wrong when %s', (_what, spoil, found) => {
  fc.assert(
    fc.property(lists, fc.nat(), (list, seed) => {
      expect(judgeStream('consumer 1', spoil(list, seed % (list.length - 1)), list)).toMatch(found)
    }),
  )
})
