import { expect, expectTypeOf, test } from 'vitest'
import { type Program, readCommand, readProgram, UsageError } from './index.ts'

const json = { json: { help: 'for machines' } } as const
const shop = {
  name: 'shop',
  version: '1.2.3',
  summary: 'sells',
  options: json,
  commands: {
    list: {
      summary: 'what is there',
      options: {
        limit: { value: 'n', whole: [1, 1000], default: 20, help: 'so many at most' },
        colour: { value: 'colour', oneOf: ['red', 'green'], help: 'only of this colour' },
        tag: { value: 'tag', many: true, help: 'with these tags' },
      },
    },
    show: { summary: 'one thing', words: { name: 'id', min: 1, max: 1 }, options: {} },
    sell: {
      summary: 'some things',
      words: { name: 'id', min: 0, max: 100 },
      options: { to: { value: 'who', help: 'to whom' }, all: { help: 'everything' } },
    },
  },
} as const satisfies Program
const one = {
  name: 'watch',
  version: '1',
  summary: 'looks',
  options: { ...json, since: { value: 'time', default: '1h', help: 'how far back' } },
} as const
const words = (line: string) => line.split(' ').filter(Boolean)

test('a command has its options, with defaults and types, and those of the program', () => {
  expect(readCommand(shop, ['list'])).toEqual({
    kind: 'run',
    command: 'list',
    words: [],
    options: { limit: 20, colour: undefined, tag: [], json: false },
  })
  const line = readCommand(shop, words('list --limit=5 --json --tag a --tag b --colour green'))
  expect(line).toMatchObject({ options: { limit: 5, colour: 'green', tag: ['a', 'b'], json: true } })
  if (line.kind === 'run' && line.command === 'list') {
    expectTypeOf(line.options.limit).toEqualTypeOf<number>()
    expectTypeOf(line.options.colour).toEqualTypeOf<'red' | 'green' | undefined>()
    expectTypeOf(line.options.tag).toEqualTypeOf<string[]>()
    expectTypeOf(line.options.json).toEqualTypeOf<boolean>()
  }
  expect(readCommand(shop, words('--json sell 1 2 --to ann --all'))).toMatchObject({
    command: 'sell',
    words: ['1', '2'],
    options: { to: 'ann', all: true, json: true },
  })
  expect(readCommand(shop, words('sell --to=-1 -- --all'))).toMatchObject({
    words: ['--all'],
    options: { to: '-1', all: false },
  })
})

test('a program that is one command has options alone', () => {
  expect(readProgram(one, words('--since 2h'))).toEqual({
    kind: 'run',
    words: [],
    options: { json: false, since: '2h' },
  })
})

test.each(['', '--help', '-h', 'help'])(
  '"%s" prints the help: every command, every general option, the exit codes',
  (line) => {
    const read = readCommand(shop, words(line))
    expect(read).toMatchObject({ kind: 'print' })
    const { text } = read as { text: string }
    for (const part of ['shop: sells', 'list ', 'show <id>', 'sell [<id>...]', '--json', '--help', '--version', '130'])
      expect(text).toContain(part)
  },
)

test.each(['list --help', 'help list', 'list -h', '--help list'])('"%s" prints the help of that command', (line) => {
  const { text } = readCommand(shop, words(line)) as { text: string }
  expect(text).toMatch(/^shop list: what is there\n[^]*--limit <n> +so many at most \(1 to 1000; default 20\)\n/)
  expect(text).toContain('--colour <colour>            only of this colour (red, green)')
})

test('--version prints the version', () => {
  expect(readCommand(shop, ['--version'])).toEqual({ kind: 'print', text: '1.2.3\n' })
  expect(readProgram(one, ['--version'])).toEqual({ kind: 'print', text: '1\n' })
})

test.each([
  ['lst', 'there is no command "lst": it must be one of list, show, sell'],
  ['toString', 'there is no command "toString"'],
  ['--json', 'no command is given: it must be one of list, show, sell'],
  ['list --color red', 'there is no option --color'],
  ['list -x', 'there is no option -x'],
  ['list --constructor', 'there is no option --constructor'],
  ['list --all', 'list has no option --all'],
  ['list --json=yes', '--json takes no value'],
  ['list --limit', '--limit requires a value: --limit=<n>'],
  ['list --limit --json', '--limit requires a value'],
  ['list --limit 5 --limit 6', '--limit is given twice'],
  ['list --limit 0', '--limit must be a whole number from 1 to 1000, not "0"'],
  ['list --limit 1001', '--limit must be a whole number from 1 to 1000, not "1001"'],
  ['list --limit 1e2', '--limit must be a whole number'],
  ['list --limit=-1', 'not "-1"'],
  ['list --colour blue', '--colour must be one of red, green, not "blue"'],
  ['list 7', 'list takes options only, not "7"'],
  ['show', 'show takes one id, and none is given'],
  ['show 1 2', 'show takes one id, not 2'],
])('what makes no sense is a usage error: %s', (line, message) => {
  const read = () => readCommand(shop, words(line))
  expect(read).toThrow(UsageError)
  expect(read).toThrow(message)
})

test('a program without commands refuses words', () => {
  expect(() => readProgram(one, ['now'])).toThrow('watch takes options only, not "now"')
})
