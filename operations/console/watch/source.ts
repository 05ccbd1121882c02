/** What is known of one thing that the console asks: its last answer, or since when there is none, and why. */
export type Known<Value> =
  | { kind: 'answered'; value: Value; at: number }
  | { kind: 'silent'; reason: string; since: number; last: Value | undefined }
  /** Not asked yet. */
  | { kind: 'asking' }

export interface Source<Value> {
  /** Asks, unless a question is open already. Never rejects, and resolves with the answer. */
  ask(): Promise<void>
  known(): Known<Value>
  /** The next answer is the first. */
  forget(): void
}

/** A healthy dependency answers within milliseconds. Waiting longer would show the state before the outage. */
const SILENT_AFTER_MS = 2_000

/**
 * Asks one question at a time. A question that stays open for two seconds counts as silence until its answer is there.
 */
export function createSource<Value>(read: () => Promise<Value>, now: () => number = Date.now): Source<Value> {
  let last: { value: Value; at: number } | undefined
  let failure: { reason: string; since: number } | undefined
  let openSince: number | undefined
  let underWay: Promise<void> | undefined

  async function run(): Promise<void> {
    openSince = now()
    try {
      const value = await read()
      last = { value, at: now() }
      failure = undefined
    } catch (error) {
      failure = { reason: reasonOf(error), since: failure?.since ?? openSince }
    }
    openSince = undefined
    underWay = undefined
  }

  return {
    ask: () => (underWay ??= run()),
    known() {
      if (failure) return { kind: 'silent', ...failure, last: last?.value }
      if (openSince !== undefined && now() - openSince > SILENT_AFTER_MS)
        return { kind: 'silent', reason: 'does not answer', since: openSince, last: last?.value }
      return last ? { kind: 'answered', ...last } : { kind: 'asking' }
    },
    forget() {
      last = undefined
      failure = undefined
    },
  }
}

/** The answer, the last one included while there is silence. */
export function lastOf<Value>(known: Known<Value>): Value | undefined {
  if (known.kind === 'answered') return known.value
  return known.kind === 'silent' ? known.last : undefined
}

/** A connection tried at several addresses fails with an AggregateError, whose own message is empty. */
function reasonOf(error: unknown): string {
  const { message, code, name } = (error instanceof AggregateError ? error.errors[0] : error) as Error & {
    code?: string
  }
  return (message || code || name || String(error)).replaceAll(/\s+/g, ' ')
}
