/** What became of work that asked for a place. `overdue`: it did not end in time, and another has its place now. */
export type Occupied<Result> =
  { kind: 'done'; result: Result } | { kind: 'busy'; delayMs: number } | { kind: 'overdue' }

export interface Places {
  /** Runs `work` when a place is free. Answers `busy`, with the time to ask again in, if that would take too long. */
  occupy<Result>(work: () => Promise<Result>): Promise<Occupied<Result>>
}

export interface PlacesOptions {
  /** Places, so work under way at once. */
  limit: number
  /** Work waits no longer than this for a place, in milliseconds. */
  longestWaitMs: number
  /** A place is freed after this many milliseconds, even if its work never ends. */
  longestStayMs: number
}

/** Until the first work shows how long it takes. */
const FIRST_GUESS_MS = 10
/** How much one duration changes the average. */
const WEIGHT = 0.2
/**
 * Work that finds no place is retried after a second at the earliest, and soon enough to notice that the endpoint
 * recovered.
 */
const SHORTEST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 60_000

/**
 * The places of one endpoint: a bound on what it gets at once. A slow endpoint must not fill the relay's memory, so
 * work that would wait too long is postponed at once, to the time when its turn comes at the present speed.
 */
export function createPlaces(
  { limit, longestWaitMs, longestStayMs }: PlacesOptions,
  now = () => performance.now(),
): Places {
  const waiting: ((turn: boolean) => void)[] = []
  let running = 0
  let averageMs = FIRST_GUESS_MS
  let bookedUntil = 0

  function postpone(): { kind: 'busy'; delayMs: number } {
    bookedUntil = Math.max(now(), bookedUntil) + averageMs / limit
    const delayMs = Math.min(LONGEST_DELAY_MS, Math.max(SHORTEST_DELAY_MS, bookedUntil - now()))
    return { kind: 'busy', delayMs: Math.round(delayMs) }
  }

  function waitForTurn(): Promise<boolean> {
    return new Promise((resolve) => {
      const take = (turn: boolean) => {
        clearTimeout(timer)
        resolve(turn)
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1)
        resolve(false)
      }, longestWaitMs)
      waiting.push(take)
    })
  }

  async function take(): Promise<boolean> {
    if (running < limit) {
      running++
      return true
    }
    // Work that ends hands its place over: `running` stays as it is.
    return ((waiting.length + 1) * averageMs) / limit <= longestWaitMs && waitForTurn()
  }

  function free(tookMs: number): void {
    averageMs += WEIGHT * (tookMs - averageMs)
    const next = waiting.shift()
    if (next) next(true)
    else running--
  }

  return {
    async occupy(work) {
      if (!(await take())) return postpone()
      const from = now()
      const { promise: bound, resolve } = Promise.withResolvers<{ kind: 'overdue' }>()
      const timer = setTimeout(() => resolve({ kind: 'overdue' }), longestStayMs)
      try {
        return await Promise.race([work().then((result) => ({ kind: 'done' as const, result })), bound])
      } finally {
        clearTimeout(timer)
        free(now() - from)
      }
    },
  }
}
