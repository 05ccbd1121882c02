import { parseArgs } from 'node:util'

export interface Options<Name extends string> {
  /** As text, whole numbers from `least` on included. */
  values: Record<Name, string>
  /** The whole number in `values[name]`. Ends the process with 2 and a line that says what was expected if it is none. */
  number(name: Name, least: number): number
}

/** Longer ones are typing mistakes, and no longer exact as seeds. */
const MOST = 999_999_999

/** The options of a command, all of them with a value. Ends the process after `--help`, or when it is not understood. */
export function readOptions<Name extends string>(help: string, defaults: Record<Name, string>): Options<Name> {
  const values = { ...defaults, ...parse(help, Object.keys(defaults)) }
  return {
    values,
    number(name, least) {
      const value = Number(values[name])
      if (Number.isInteger(value) && value >= least && value <= MOST) return value
      return fail(`--${name} is "${values[name]}": expected a whole number from ${least} to ${MOST}`)
    },
  }
}

export function fail(what: string): never {
  process.stderr.write(`${what}\n`)
  process.exit(2)
}

function parse(help: string, names: string[]): Record<string, string> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  let values: Record<string, string | boolean | undefined>
  try {
    values = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } }).values
  } catch (error) {
    fail(`${(error as Error).message}\n\n${help}`)
  }
  if (values.help) {
    process.stdout.write(help)
    process.exit(0)
  }
  return values as Record<string, string>
}
