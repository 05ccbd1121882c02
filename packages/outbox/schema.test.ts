import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** A name of ours right after a word that a table follows. */
const UNQUALIFIED = /\b(?:FROM|JOIN|UPDATE|INTO|TABLE|REFERENCES) (?:events|outbox_relays|outbox_lanes)\b/g

test('every table in a statement of the outbox is qualified by its schema', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.endsWith('.ts') && !path.includes('test') && !path.startsWith('node_modules'),
  )
  const found = files.flatMap((path) =>
    [...readFileSync(join(import.meta.dirname, path), 'utf8').matchAll(UNQUALIFIED)].map(
      ([text]) => `${path}: ${text}`,
    ),
  )
  expect(files).toContain('settle.ts')
  expect(found).toEqual([])
})
