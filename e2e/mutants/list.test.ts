import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../rolling/root.ts'
import { mutants, survivors } from './list.ts'
import { mutate } from './mutant.ts'

test.each([...mutants, ...survivors])('$file has one place where $what', (mutant) => {
  const source = readFileSync(join(repositoryRoot, mutant.file), 'utf8')
  expect(mutate(source, mutant)).toBeTypeOf('string')
})
