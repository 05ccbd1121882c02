/** `$1` and so on, but not within a quoted name: an even number of quotes follows. */
const PLACEHOLDER = /\$(\d+)(?=(?:[^"]*"[^"]*")*[^"]*$)/

/** A statement cut at its placeholders, and the value of each in the order in which they occur. */
export interface Placed {
  fragments: string[]
  values: unknown[]
}

/** Cuts a statement at `$1`, `$2` …, for libraries that write placeholders otherwise or take a tagged template. */
export function cutAtPlaceholders(text: string, values: readonly unknown[]): Placed {
  const parts = text.split(PLACEHOLDER)
  return {
    fragments: parts.filter((_, index) => index % 2 === 0),
    values: parts.filter((_, index) => index % 2 === 1).map((number) => values[Number(number) - 1]),
  }
}

/** The statement with `?` for placeholders, as Knex and MikroORM have them. Their escape for a plain `?` is `\?`. */
export function withQuestionMarks(text: string, values: readonly unknown[]): { text: string; values: unknown[] } {
  const placed = cutAtPlaceholders(text, values)
  if (placed.values.length === 0) return { text, values: [] }
  return {
    text: placed.fragments.map((fragment) => fragment.replaceAll('?', String.raw`\?`)).join('?'),
    values: placed.values,
  }
}

/** The statement as a call of a template tag: the tag of a library makes its own placeholders. */
export function tagged<Query>(tag: Tag<Query>, text: string, values: readonly unknown[]): Query {
  const { fragments, values: placed } = cutAtPlaceholders(text, values)
  // Frozen, as the compiler makes them: Slonik refuses to be called otherwise.
  return tag(Object.freeze(Object.assign(fragments, { raw: Object.freeze([...fragments]) })), ...placed)
}

/** A template tag such as `sql` of Kysely, Drizzle or Slonik. */
export type Tag<Query> = (fragments: TemplateStringsArray, ...values: any[]) => Query
