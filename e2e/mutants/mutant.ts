/** A small change that breaks a promise. The tests named here must notice it. */
export interface Mutant {
  /** What the change does, as a sentence about the broken code. */
  what: string
  /** From the root of the repository. */
  file: string
  /** Stands in the file exactly once. */
  find: string
  replace: string
  /** Test files, or the beginning of their paths, one of which must fail. */
  tests: readonly string[]
}

/** A mutant that no test can notice, with the reason: it changes speed, memory or wording, and no promise. */
export interface Survivor extends Omit<Mutant, 'tests'> {
  why: string
}

export type Verdict =
  | { kind: 'killed'; seconds: number }
  | { kind: 'survived'; seconds: number }
  /** The code has changed since the list was written. */
  | { kind: 'not found'; times: number }

/** The mutated source, or how often `find` stands in it when that is not once. */
export function mutate(source: string, { find, replace }: Pick<Mutant, 'find' | 'replace'>): string | number {
  const pieces = source.split(find)
  return pieces.length === 2 ? pieces.join(replace) : pieces.length - 1
}
