import { describe, expect, test } from 'vitest'
import { type Checkout, faultsOf, planOf } from './plan.ts'

const changelog = `# Changelog

## [Unreleased]

## [1.2.0] - 2026-12-01

### Added

- a thing

## [1.1.0] - 2026-11-30

- another
`
const good: Checkout = {
  version: '1.2.0',
  packages: { '@product-events/outbox': '1.2.0' },
  changelog,
  branch: 'main',
  changed: [],
  tags: ['v1.1.0'],
}

test('a clean checkout of main with its section in the changelog can be released', () => {
  expect(faultsOf(good)).toEqual([])
  expect(planOf(good)).toEqual({ tag: 'v1.2.0', notes: '### Added\n\n- a thing' })
})

describe('a release is refused, and the line says what was expected', () => {
  test.each<[string, Partial<Checkout>]>([
    ['CHANGELOG.md has no section', { version: '1.3.0', packages: {} }],
    ['expected three numbers', { version: '1.2', packages: {} }],
    ['@product-events/inbox has version 1.0.0', { packages: { '@product-events/inbox': '1.0.0' } }],
    ['the branch is other', { branch: 'other' }],
    ['not committed: a.ts, b.ts', { changed: ['a.ts', 'b.ts'] }],
    ['the tag v1.2.0 exists', { tags: ['v1.2.0'] }],
  ])('%s', (line, change) => {
    expect(faultsOf({ ...good, ...change }).join('\n')).toContain(line)
  })
})
