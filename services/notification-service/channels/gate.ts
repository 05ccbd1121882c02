/** What became of a visit to a gate. */
export type Visit<Result> = { kind: 'done'; result: Result } | { kind: 'busy'; delayMs: number }

export interface Gate {
  /** Runs `work` when it is its turn, or tells when to come again if that would take too long. */
  visit<Result>(work: () => Promise<Result>): Promise<Visit<Result>>
}

export interface GateOptions {
  /** Visits under way at once. */
  limit: number
  /** Nobody stands in line longer than this, in milliseconds. */
  longestWaitMs: number
}

/** Until the first visits tell how long one takes. */
const FIRST_GUESS_MS = 10
/** How much one visit changes the opinion of how long they take. */
const WEIGHT = 0.2
/** Whoever is sent away comes back after a second at the earliest, and soon enough to see that things got better. */
const SHORTEST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 60_000

/**
 * The door of one destination. A slow one must not fill the relay with what waits for it: who would stand in line too
 * long is sent away at once, with the time when its turn should come by the speed of late.
 */
export function createGate({ limit, longestWaitMs }: GateOptions, now = () => performance.now()): Gate {
  const line: ((turn: boolean) => void)[] = []
  let running = 0
  let averageMs = FIRST_GUESS_MS
  let bookedUntil = 0

  function sendAway(): { kind: 'busy'; delayMs: number } {
    bookedUntil = Math.max(now(), bookedUntil) + averageMs / limit
    const delayMs = Math.min(LONGEST_DELAY_MS, Math.max(SHORTEST_DELAY_MS, bookedUntil - now()))
    return { kind: 'busy', delayMs: Math.round(delayMs) }
  }

  function waitInLine(): Promise<boolean> {
    return new Promise((resolve) => {
      const place = (turn: boolean) => {
        clearTimeout(timer)
        resolve(turn)
      }
      const timer = setTimeout(() => {
        line.splice(line.indexOf(place), 1)
        resolve(false)
      }, longestWaitMs)
      line.push(place)
    })
  }

  async function enter(): Promise<boolean> {
    if (running < limit) {
      running++
      return true
    }
    // Who leaves hands its place over: `running` stays as it is.
    return ((line.length + 1) * averageMs) / limit <= longestWaitMs && waitInLine()
  }

  return {
    async visit(work) {
      if (!(await enter())) return sendAway()
      const from = now()
      try {
        return { kind: 'done', result: await work() }
      } finally {
        averageMs += WEIGHT * (now() - from - averageMs)
        const next = line.shift()
        if (next) next(true)
        else running--
      }
    },
  }
}
