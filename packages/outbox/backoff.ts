/** The first retry of a refused event follows within a second; each next one waits up to twice as long … */
const ATTEMPT_BASE_MS = 1_000
/** … up to five minutes: a person who mends the cause should not wait longer to see it work. */
export const ATTEMPT_CAP_MS = 5 * 60_000

/**
 * Milliseconds until the next try of an event that was refused `attempts` times: between half and all of
 * 1 s · 2^(attempts-1), at most `capMs` ("equal jitter": spread, but never at once).
 */
export function attemptBackoffMs(
  attempts: number,
  random: () => number = Math.random,
  capMs: number = ATTEMPT_CAP_MS,
): number {
  const ceiling = Math.min(capMs, ATTEMPT_BASE_MS * 2 ** (attempts - 1))
  return Math.round(ceiling / 2 + (random() * ceiling) / 2)
}
