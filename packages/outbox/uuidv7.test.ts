import { expect, test } from 'vitest'
import { uuidv7 } from './uuidv7.ts'

test('ids are UUIDs of version 7, begin with their millisecond, and differ', () => {
  const ids = Array.from({ length: 1_000 }, () => uuidv7(0x0123_4567_89ab))
  for (const id of ids) expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(1_000)
  expect(uuidv7(1) < uuidv7(2)).toBe(true)
})
