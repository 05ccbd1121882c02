/** After the first failed call there may be nothing wrong at all. */
const BASE_MS = 100

/**
 * A dependency that refuses at once costs next to nothing to ask, so delivery resumes within this time of its return.
 */
export const OUTAGE_CAP_MS = 2_000

/**
 * Milliseconds until a dependency is asked again after `failures` failed calls in a row (1, 2, …): between nothing and
 * 100 ms · 2^(failures-1), at most `capMs`. Full jitter:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function outageBackoffMs(failures: number, capMs = OUTAGE_CAP_MS, random: () => number = Math.random): number {
  return Math.ceil(random() * Math.min(capMs, BASE_MS * 2 ** (failures - 1)))
}
