import { parseArgs } from 'node:util'
import { type CommandName, commands, optionTypes } from './commands.ts'

/** What was typed makes no sense: nothing was done. */
export class UsageError extends Error {}

export interface Typed {
  command: CommandName
  positionals: string[]
  flags: Partial<Record<string, string | boolean>>
}

/** Reads the words of a command line. `help` stands for the overview, or for one command's. */
export function readArguments(args: string[]): Typed | { help: CommandName | undefined } {
  const { values, positionals } = parse(args)
  const [command, ...rest] = positionals
  if (command === undefined && (values.help === true || args.length === 0)) return { help: undefined }
  if (command === undefined || !(command in commands)) {
    const found = command === undefined ? 'no command is given' : `there is no command "${command}"`
    throw new UsageError(`${found}: it must be one of ${Object.keys(commands).join(', ')}`)
  }
  const name = command as CommandName
  if (values.help === true) return { help: name }
  const known = ['help', 'service', 'json', ...Object.keys(commands[name].options)]
  const foreign = Object.keys(values).find((option) => !known.includes(option))
  if (foreign !== undefined) throw new UsageError(`${name} has no option --${foreign}`)
  return { command: name, positionals: rest, flags: { ...values } }
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: optionTypes(), allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** A whole number from `min` to `max` of an option; `fallback` when it is not given. */
export function wholeNumber<Fallback>(
  { flags }: Typed,
  option: string,
  { min, max }: { min: number; max: number },
  fallback: Fallback,
): number | Fallback {
  const text = flags[option]
  if (text === undefined) return fallback
  const number = Number(text)
  if (typeof text === 'string' && /^[0-9]{1,9}$/.test(text) && number >= min && number <= max) return number
  throw new UsageError(`--${option} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`)
}

export function text({ flags }: Typed, option: string): string | undefined {
  const value = flags[option]
  return typeof value === 'string' ? value : undefined
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** The largest bigint has 19 digits. */
const ID = /^[0-9]{1,18}$/

/** Ids as people have them: the number of the row, or the UUID that consumers know. */
export function readIds(words: readonly string[]): { ids: string[]; eventIds: string[] } {
  const bad = words.find((word) => !ID.test(word) && !UUID.test(word))
  if (bad !== undefined)
    throw new UsageError(`${JSON.stringify(bad)} is no id: expected a number such as 42, or the event's UUID`)
  const ids = words.filter((word) => ID.test(word)).map((word) => String(BigInt(word)))
  return { ids, eventIds: words.filter((word) => UUID.test(word)).map((word) => word.toLowerCase()) }
}
