import { expect, test } from 'vitest'
import { versionFault } from './version.ts'

test('PostgreSQL 14 will do, and what is older is told what is needed', () => {
  expect(versionFault(140_000, '14.0')).toBeUndefined()
  expect(versionFault(180_004, '18.4')).toBeUndefined()
  expect(versionFault(130_023, '13.23')).toBe('PostgreSQL 14 or later is needed, and this is 13.23')
})
