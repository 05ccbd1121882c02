/** While events come without a wake-up. Such an event waits for half of it. */
const BUSY_POLL_MS = 25
/** For so long after the last one, and after the first look. */
const BUSY_FOR_MS = 2_000

export interface PollOptions {
  /** The pause while nothing comes, in milliseconds. */
  idleMs: number
  /** Whether wake-ups of other processes arrive, as far as is known. */
  arrive: () => boolean
  now?: () => number
}

/** A look for new events, and what caused it. */
export interface Look {
  found: number
  /** Whether a wake-up had come before it. */
  woken: boolean
}

/** When to look for events without a wake-up. */
export interface Poll {
  looked(look: Look): void
  /** Milliseconds until the next look without a wake-up. */
  dueInMs(): number
  /** Whether events come unannounced. */
  isBusy(): boolean
}

/**
 * Polls adaptively. An event that a poll finds shows that a process commits whose wake-ups do not arrive:
 * so polls are frequent until none has found anything for two seconds, or a wake-up arrives. The first polls are
 * frequent in the same way. While it is known that wake-ups do not arrive, events found by nudges of this process count
 * as well: others most likely commit too.
 */
export function createPoll({ idleMs, arrive, now = () => performance.now() }: PollOptions): Poll {
  let polledAt = -Infinity
  let lookedAt = -Infinity
  let busyUntil = -Infinity
  const isBusy = () => now() < busyUntil
  return {
    isBusy,
    looked({ found, woken }) {
      // A relay takes over lanes before it listens: until then it hears of no commit of another process.
      if (lookedAt === -Infinity) busyUntil = now() + BUSY_FOR_MS
      lookedAt = now()
      if (!woken) polledAt = lookedAt
      if (woken && arrive()) busyUntil = -Infinity
      else if (found > 0) busyUntil = lookedAt + BUSY_FOR_MS
    },
    dueInMs() {
      // Nudges do not put off the idle poll: events of other processes would go unnoticed behind them.
      const dueAt = isBusy() ? Math.min(lookedAt + BUSY_POLL_MS, polledAt + idleMs) : polledAt + idleMs
      return Math.max(0, dueAt - now())
    },
  }
}
