/** The first retry of a refused event follows within a second; each next one waits up to twice as long … */
const ATTEMPT_BASE_MS = 1_000
/** … up to five minutes: a person who mends the cause should not wait longer to see it work. */
export const ATTEMPT_CAP_MS = 5 * 60_000
/** After the first failed call there may be nothing wrong at all. */
const OUTAGE_BASE_MS = 100
/** However long SQS was away, delivery resumes at most this long after it is back. */
export const OUTAGE_CAP_MS = 30_000

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

/**
 * Milliseconds until the broker or the database is tried again after `failures` failed calls in a row: between nothing
 * and 100 ms · 2^(failures-1), at most 30 s ("full jitter",
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function outageBackoffMs(failures: number, random: () => number = Math.random): number {
  return Math.round(random() * Math.min(OUTAGE_CAP_MS, OUTAGE_BASE_MS * 2 ** (failures - 1)))
}
