import { StartError } from './start-error.ts'

/** How one variable is read: the expected form, and its value. */
export interface Kind<Value> {
  /** Completes the sentence "NAME must be …". */
  expected: string
  /** The value, or undefined when `text` does not have the expected form. */
  parse: (text: string) => Value | undefined
  /** Its value when it is not set; a kind without one is required. */
  fallback?: { value: Value }
  /** A secret is not shown when it is malformed. */
  secret?: true
}

export type Config<Kinds> = { readonly [Name in keyof Kinds]: Kinds[Name] extends Kind<infer Value> ? Value : never }

/**
 * Reads the variables that `kinds` names. An empty variable counts as not set, as in a compose file or an `.env`.
 *
 * Throws one `StartError` that names every missing or malformed variable with its expected form.
 */
export function readConfig<Kinds extends Record<string, Kind<unknown>>>(
  env: NodeJS.ProcessEnv,
  kinds: Kinds,
): Config<Kinds> {
  const values: Record<string, unknown> = {}
  const faults: string[] = []
  for (const [name, kind] of Object.entries(kinds)) {
    const text = env[name]?.trim() ?? ''
    if (text === '') {
      if (kind.fallback) values[name] = kind.fallback.value
      else faults.push(`${name} is not set: it must be ${kind.expected}`)
      continue
    }
    const value = kind.parse(text)
    if (value === undefined)
      faults.push(`${name} must be ${kind.expected}${kind.secret ? '' : `, not ${JSON.stringify(text)}`}`)
    values[name] = value
  }
  if (faults.length > 0) throw new StartError(`configuration: ${faults.join('; ')}`)
  return values as Config<Kinds>
}

export function text(expected: string, fallback?: string): Kind<string> {
  return withFallback({ expected, parse: (text) => text }, fallback)
}

/** Text that `pattern` matches. */
export function matching(pattern: RegExp, expected: string): Kind<string> {
  return { expected, parse: (text) => (pattern.test(text) ? text : undefined) }
}

/** An integer from `min` to `max`, in decimal digits. `unit` is for people: "milliseconds". */
export function integer(range: { min: number; max: number; unit: string }, fallback?: number): Kind<number> {
  const { min, max, unit } = range
  return withFallback(
    {
      expected: `a whole number of ${unit} from ${min} to ${max}`,
      parse: (text) => {
        const value = Number(text)
        return /^[0-9]{1,15}$/.test(text) && value >= min && value <= max ? value : undefined
      },
    },
    fallback,
  )
}

/** A TCP port. 0, which lets the system choose one, is for tests. */
export function port(fallback: number): Kind<number> {
  return { ...integer({ min: 0, max: 65_535, unit: '' }, fallback), expected: 'a port from 0 to 65535' }
}

export function oneOf<Value extends string>(values: readonly Value[], fallback?: Value): Kind<Value> {
  return withFallback(
    { expected: `one of ${values.join(', ')}`, parse: (text) => values.find((value) => value === text) },
    fallback,
  )
}

/** A URL with one of the `schemes` and a host, such as `http`. */
export function url(schemes: readonly string[]): Kind<string> {
  return {
    expected: `a URL like ${schemes[0]}://host:port`,
    parse: (text) => {
      if (!URL.canParse(text)) return undefined
      const { protocol, hostname } = new URL(text)
      return schemes.includes(protocol.slice(0, -1)) && hostname !== '' ? text : undefined
    },
  }
}

/** A URL that may carry a password. `example` shows its form. */
export function secretUrl(schemes: readonly string[], example: string): Kind<string> {
  return { ...url(schemes), expected: `a URL like ${example}`, secret: true }
}

/** Undefined when it is not set. */
export function optional<Value>(kind: Kind<Value>): Kind<Value | undefined> {
  return { ...kind, fallback: { value: undefined } }
}

function withFallback<Value>(kind: Kind<Value>, value: Value | undefined): Kind<Value> {
  return value === undefined ? kind : { ...kind, fallback: { value } }
}
