import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
/** target → the commands of its recipe */
const targets = new Map(
  [...read('Makefile').matchAll(/^([a-z0-9-]+):.*\n((?:\t.*\n)*)/gm)].map(([, target = '', recipe = '']) => [
    target,
    recipe.trim().split(/\n\t/),
  ]),
)

test('the Makefile has the targets that people try', () => {
  expect([...targets.keys()].toSorted()).toEqual(
    [
      'help',
      'run',
      'test',
      'test-unit',
      'test-integration',
      'test-e2e',
      'lint',
      'build',
      'cover',
      'docker-compose',
    ].toSorted(),
  )
  const phony = /^\.PHONY: (.*)$/m.exec(read('Makefile'))?.[1]?.split(' ')
  expect(phony).toEqual([...targets.keys()])
})

test.each([...targets])('make %s calls one npm script that exists', (_target, commands) => {
  expect(commands).toHaveLength(1)
  const script = /^@npm (?:run (?:--silent )?([a-z0-9:-]+)|(start|test))$/.exec(commands[0] ?? '')
  expect(Object.keys(scripts)).toContain(script?.[1] ?? script?.[2])
})
