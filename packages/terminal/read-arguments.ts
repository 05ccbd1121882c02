import { parseArgs } from 'node:util'
import { helpOfCommand, helpOfProgram } from './help.ts'
import { type Command, general, type Option, type Options, type Program, type Values, type Words } from './options.ts'

/** Wrong arguments. Nothing was done; the exit code is 2. */
export class UsageError extends Error {}

/** A text to print instead of running anything. */
export interface Printed {
  kind: 'print'
  text: string
}

export interface Run<Form extends Command> {
  kind: 'run'
  words: string[]
  options: Values<Form['options']>
}

/** The words and options of a program that is one command. */
export type Line<P extends Program> = Printed | Run<P>
type Commands<P extends Program> = P['commands'] & {}
/** One of the commands, with its words and options and those that every command has. */
export type CommandLine<P extends Program> =
  | Printed
  | {
      [Name in keyof Commands<P>]: Run<{ summary: ''; options: Commands<P>[Name]['options'] & P['options'] }> & {
        command: Name
      }
    }[keyof Commands<P>]

/** Reads the arguments of a program that is one command. Throws a `UsageError` that names the expected ones. */
export function readProgram<const P extends Program>(program: P, args: readonly string[]): Line<P> {
  const typed = tokens(args, { ...program.options, ...general })
  if (typed.has('help')) return { kind: 'print', text: helpOfProgram(program) }
  if (typed.has('version')) return { kind: 'print', text: `${program.version}\n` }
  countWords(program.name, program.words, typed.words)
  return { kind: 'run', words: typed.words, options: typed.values(program.options) as Values<P['options']> }
}

/** Reads the arguments of a program with several commands. Throws a `UsageError` that names the expected ones. */
export function readCommand<const P extends Program>(program: P, args: readonly string[]): CommandLine<P> {
  const commands: Readonly<Record<string, Command>> = program.commands ?? {}
  const all = Object.assign({}, ...Object.values(commands).map(({ options }) => options)) as Options
  const typed = tokens(args, { ...all, ...program.options, ...general })
  const [first, ...rest] = typed.words
  const asksHelp = typed.has('help') || first === 'help'
  const name = first === 'help' ? rest[0] : first
  const known = name !== undefined && Object.hasOwn(commands, name)
  if (name === undefined && (asksHelp || args.length === 0)) return { kind: 'print', text: helpOfProgram(program) }
  if (typed.has('version')) return { kind: 'print', text: `${program.version}\n` }
  if (!known) {
    const found = name === undefined ? 'no command is given' : `there is no command ${JSON.stringify(name)}`
    throw new UsageError(`${found}: it must be one of ${Object.keys(commands).join(', ')}`)
  }
  if (asksHelp) return { kind: 'print', text: helpOfCommand(program, name) }
  const command = commands[name]!
  const options = { ...command.options, ...program.options }
  const foreign = typed.names.find((option) => !Object.hasOwn(options, option))
  if (foreign !== undefined) throw new UsageError(`${name} has no option --${foreign}`)
  countWords(name, command.words, rest)
  return { kind: 'run', command: name, words: rest, options: typed.values(options) } as unknown as CommandLine<P>
}

function countWords(name: string, words: Words | undefined, typed: readonly string[]): void {
  const { min, max, name: noun } = words ?? { min: 0, max: 0, name: '' }
  if (typed.length >= min && typed.length <= max) return
  if (max === 0) throw new UsageError(`${name} takes options only, not ${JSON.stringify(typed[0])}`)
  const many = max > 1 ? `${min === 0 ? 'any number of' : 'one or more'} ${noun}s` : `one ${noun}`
  throw new UsageError(`${name} takes ${many}, ${typed.length === 0 ? 'and none is given' : `not ${typed.length}`}`)
}

/** The words and the options, each checked against the table. */
function tokens(args: readonly string[], table: Options) {
  const types = Object.fromEntries(
    Object.entries(table).map(([name, { value }]) => [
      name,
      { type: value ? ('string' as const) : ('boolean' as const) },
    ]),
  )
  const options = { ...types, help: { type: 'boolean' as const, short: 'h' } }
  const parsed = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, string[]>()
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue
    const option = Object.hasOwn(table, token.name) ? table[token.name] : undefined
    if (option === undefined) throw new UsageError(`there is no option ${token.rawName}`)
    const before = given.get(token.name) ?? []
    if (before.length > 0 && !('many' in option)) throw new UsageError(`--${token.name} is given twice`)
    given.set(token.name, [...before, checked(option, token)])
  }
  return {
    words: parsed.positionals,
    names: [...given.keys()].filter((name) => !Object.hasOwn(general, name)),
    has: (name: string) => given.has(name),
    values: (wanted: Options) =>
      Object.fromEntries(
        Object.entries(wanted).map(([name, option]) => [name, valueOf(name, option, given.get(name))]),
      ),
  }
}

/** The text of an option's value, or of a switch an empty one. */
function checked(
  option: Option,
  { name, value, inlineValue }: { name: string; value: string | undefined; inlineValue: boolean | undefined },
): string {
  if (option.value === undefined) {
    if (inlineValue) throw new UsageError(`--${name} takes no value`)
    return ''
  }
  // `--rate --json`: the next option is not a value, unless it is written as one.
  if (value === undefined || (!inlineValue && value.startsWith('-')))
    throw new UsageError(`--${name} requires a value: --${name}=<${option.value}>`)
  return value
}

function valueOf(name: string, option: Option, given: string[] | undefined): unknown {
  if (option.value === undefined) return given !== undefined
  if ('many' in option && option.many) return given ?? []
  const text = given?.[0]
  if (text === undefined) return 'default' in option ? option.default : undefined
  if ('oneOf' in option && !option.oneOf.includes(text))
    throw new UsageError(`--${name} must be one of ${option.oneOf.join(', ')}, not ${JSON.stringify(text)}`)
  if (!('whole' in option)) return text
  const [min, max] = option.whole
  const number = Number(text)
  if (/^[0-9]{1,9}$/.test(text) && number >= min && number <= max) return number
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`)
}
