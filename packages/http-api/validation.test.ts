import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isMultipleOf } from './validation.ts'

test('every number of cents up to twelve digits is a multiple of 0.01, and prints back as it was written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), (cents) => {
      const digits = String(cents).padStart(3, '0')
      const written = `${digits.slice(0, -2)}.${digits.slice(-2)}`
      expect(isMultipleOf(Number(written), 0.01)).toBe(true)
      expect(Number(written).toFixed(2)).toBe(written)
      // What PostgreSQL says ("12.50") and what JSON says (12.5) are the same number.
      expect(JSON.parse(JSON.stringify(Number(written)))).toBe(Number(written))
    }),
    { numRuns: 2_000 },
  )
})

test('a number with more decimals is none, however small the rest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 1, max: 9 }), (cents, rest) => {
      expect(isMultipleOf(Number(`${cents}.${String(cents % 100).padStart(2, '0')}${rest}`), 0.01)).toBe(false)
    }),
  )
  expect([1e-7, 0.001, 12.345, 0.1 + 0.2, 5e-324].map((value) => isMultipleOf(value, 0.01))).toEqual(
    Array(5).fill(false),
  )
})

test('steps that are no power of ten work as usual', () => {
  expect([isMultipleOf(9, 3), isMultipleOf(10, 3), isMultipleOf(7, 1), isMultipleOf(7.5, 1)]).toEqual([
    true,
    false,
    true,
    false,
  ])
})
