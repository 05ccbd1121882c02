import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { check, hasChecker } from './check.ts'
import { configurations, smallConfiguration } from './configurations.ts'
import { limits, variants } from './variants.ts'
import { references, stepNames, traceOf } from './words.ts'

const root = join(import.meta.dirname, '..')
const sources = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.pml'))
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
const model = sources.join('\n')
const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')

/** Some three seconds on a quiet machine, most of it for the compiler. */
const TIMEOUT_MS = 120_000

/** "packages/outbox/claim.ts claimPending" in the comments of the model. */
const named = [...model.matchAll(/((?:packages|services)\/[\w/-]+\.ts) (\w+)/g)].map(([, file = '', name = '']) => ({
  file,
  function: name,
}))

describe('the names of the model are those of the code', () => {
  test.each([...references, ...named])('$file has $function', ({ file, function: name }) => {
    const source = readFileSync(join(root, file), 'utf8')
    expect(source).toMatch(new RegExp(`(?:function |^ +(?:async )?)${name}(?:<[^>]*>)?\\(|^ +${name}: \\(`, 'm'))
  })

  test('the comments of the model name the functions', () => expect(named.length).toBeGreaterThan(10))

  test('each step that the model prints has words, and no words are left over', () => {
    const printed = new Set([...model.matchAll(/@ (\w+)/g)].map(([, name]) => name))
    expect(printed).toEqual(new Set([...stepNames, 'broken']))
  })

  test('each variant removes a rule that is in the model', () => {
    for (const { name } of variants) expect(model).toMatch(new RegExp(`#(?:ifdef|ifndef) ${name}\\b`))
  })
})

test('a trace is told in words', () => {
  const { sentences, breaks } = traceOf('  @ crash 1\n noise\n @ claimPending 0 3\n@ lanes 0 1 0\n@ broken 3\n')
  expect(breaks).toBe('order')
  expect(sentences).toEqual([
    'relay B is killed',
    'relay A claims events 1 and 2 (claim.ts claimPending)',
    'relay A owns lane 1',
    'BROKEN (order): the consumer stores an event before an earlier one of its key',
  ])
})

test('model/README.md has every configuration, variant and limit', () => {
  for (const { name } of [...configurations, ...variants, ...limits]) expect(readme).toContain(`\`${name}\``)
})

describe.skipIf(!hasChecker())('with spin and gcc, which are not installed where this is skipped', () => {
  test(
    'the small configuration keeps every promise, in every order of its steps',
    async () => {
      const { trace, states } = await check(smallConfiguration.defines, 'all runs')
      expect(trace).toBeUndefined()
      expect(states).toBeGreaterThan(1_000)
    },
    TIMEOUT_MS,
  )

  test.each(['CLAIM_BESIDE_REJECTION', 'HAND_OVER_BEFORE_DRAINED'])(
    '%s is found',
    async (name) => {
      const variant = variants.find((one) => one.name === name)!
      const { trace } = await check(variant.defines, 'shortest trace')
      expect(trace?.breaks).toBe(variant.breaks)
      expect(trace?.sentences.length).toBeGreaterThan(5)
    },
    TIMEOUT_MS,
  )
})
