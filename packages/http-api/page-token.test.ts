import fc from 'fast-check'
import { expect, test } from 'vitest'
import { HttpProblem, pageTokens } from './index.ts'

const ID = /^[0-9a-f]{8}$/
const tokens = pageTokens('things', ID)
const id = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 8, maxLength: 8 })

test('a token gives back the position it was made of, and can stand in a URL as it is', () => {
  fc.assert(
    fc.property(id, (position) => {
      const token = tokens.encode(position)
      expect(token).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(tokens.decode(token)).toBe(position)
    }),
  )
})

test('a token of another list is refused', () => {
  expect(() => tokens.decode(pageTokens('others', ID).encode('0badcafe'))).toThrow(HttpProblem)
})

test('a token with any character changed, added or left out is refused', () => {
  const token = tokens.encode('0badcafe')
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.string({ maxLength: 2 }), (at, other) => {
      fc.pre(other !== token[at])
      expect(() => tokens.decode(token.slice(0, at) + other + token.slice(at + 1))).toThrow('not valid')
    }),
  )
})

test('nothing that was not encoded is a token, nor is a position of the wrong shape', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => tokens.decode(text)).toThrow(HttpProblem)
    }),
  )
  expect(() => tokens.decode(tokens.encode("' OR 1=1"))).toThrow(HttpProblem)
})
