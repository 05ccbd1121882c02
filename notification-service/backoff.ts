/** The first wait is at most this: a dropped connection is back at once. */
const FIRST_MS = 200
/** No wait is longer than this, so that work resumes within half a minute of the end of any outage. */
const LONGEST_MS = 30_000

/**
 * How long to wait after the `failures`th failure in a row (1, 2, …), in milliseconds: exponential with full jitter, so
 * that receivers which failed together do not come back together.
 */
export function backoff(failures: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
}
