/** One option. Without `value` it is a switch; with it the help shows `--name <value>`. */
export type Option = { readonly help: string } & (
  | { readonly value?: undefined }
  | { readonly value: string; readonly default?: string; readonly many?: undefined }
  | { readonly value: string; readonly many: true }
  | { readonly value: string; readonly oneOf: readonly string[]; readonly default?: string }
  | { readonly value: string; readonly whole: readonly [min: number, max: number]; readonly default?: number }
)
export type Options = Readonly<Record<string, Option>>

/** The words beside the options: their name, and how many are allowed. */
export interface Words {
  readonly name: string
  readonly min: number
  readonly max: number
}

/** The arguments of a program, or of one of its commands. */
export interface Command {
  readonly summary: string
  /** As the help shows it; made of `words` if it is left out. */
  readonly usage?: string
  /** Paragraphs for the help. */
  readonly more?: string
  readonly words?: Words
  readonly options: Options
}

/** A program: one command, or several with options that all of them have. */
export type Program = Command & {
  readonly name: string
  readonly version: string
  readonly commands?: Readonly<Record<string, Command>>
  /** Exit codes besides 0, 1, 2 and 130. */
  readonly exits?: Readonly<Record<number, string>>
}

type ValueOf<One> = One extends { whole: unknown }
  ? OrMissing<One, number>
  : One extends { oneOf: readonly (infer Choice)[] }
    ? OrMissing<One, Choice>
    : One extends { many: true }
      ? string[]
      : One extends { value: string }
        ? OrMissing<One, string>
        : boolean
type OrMissing<One, Value> = One extends { default: unknown } ? Value : Value | undefined

/** The value of each option, with the defaults. */
export type Values<All extends Options> = { [Name in keyof All]: ValueOf<All[Name]> }

/** Every program has these. */
export const general = {
  help: { help: 'this text' },
  version: { help: 'the version' },
} as const satisfies Options
