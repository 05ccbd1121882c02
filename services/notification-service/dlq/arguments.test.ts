import { expect, test } from 'vitest'
import { help, readArguments } from './arguments.ts'

test.each([
  [[], { kind: 'help', json: false }],
  [['list', '--help'], { kind: 'help', json: false }],
  [['status', '--json'], { kind: 'status', json: true }],
  [['list'], { kind: 'list', json: false, limit: 100 }],
  [['list', '--limit', '5'], { kind: 'list', json: false, limit: 5 }],
  [['show', 'a'], { kind: 'show', json: false, id: 'a' }],
  [['redrive', 'a', 'b'], { kind: 'redrive', json: false, which: new Set(['a', 'b']), dryRun: false, rate: 50 }],
  [
    ['redrive', '--all', '--dry-run', '--rate', '1'],
    { kind: 'redrive', json: false, which: 'all', dryRun: true, rate: 1 },
  ],
  [['purge'], { kind: 'purge', json: false, yes: false }],
  [['purge', '--yes'], { kind: 'purge', json: false, yes: true }],
])('%j is understood', (args, command) => {
  expect(readArguments(args)).toEqual(command)
})

test.each([
  [['lst'], 'there is no command lst'],
  [['show'], 'show needs one id'],
  [['show', 'a', 'b'], 'show needs one id'],
  [['redrive'], 'redrive needs ids or --all'],
  [['redrive', 'a', '--all'], 'redrive needs ids or --all'],
  [['redrive', '--all', '--rate', '0'], '--rate must be a whole number from 1 on, not 0'],
  [['list', '--limit', 'many'], '--limit must be a whole number from 1 on, not many'],
  [['list', '--all=no'], '--all'],
  [['list', '--lmit', '3'], '--lmit'],
])('%j is answered with what was expected', (args, expected) => {
  expect(() => readArguments(args)).toThrow(expected)
})

test('the help names every command and option', () => {
  for (const word of [
    'status',
    'list',
    'show',
    'redrive',
    'purge',
    '--all',
    '--dry-run',
    '--rate',
    '--limit',
    '--json',
    '--yes',
  ])
    expect(help).toContain(word)
})
