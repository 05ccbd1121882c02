/** A scrape must not cost more than a look: one sample serves all scrapes for this long. */
const FRESH_MS = 5_000
/** What takes long is taken seldom: sampling may cost a twentieth of the time at most. */
const REST_FACTOR = 20
/** A sample that was slow because of a lock or a network must not stand for minutes after they are gone. */
const MOST_REST_MS = 30_000
/**
 * A part that hangs must not take the other metrics along: a scrape that lasts for its interval, 5 s or more, is lost.
 */
const PATIENCE_MS = 1_000

/**
 * For gauges that cost a query: `take`'s last sample, or a new one when that is 5 seconds old, one for all who ask
 * meanwhile. Resolves within a second: with the last sample if the new one takes longer. `unknown` once `take` rejects;
 * it is asked again after 5 seconds. Never rejects.
 */
export function sampled<Sample>(take: () => Promise<Sample>, unknown: Sample): () => Promise<Sample> {
  let latest = unknown
  let freshUntil = -Infinity
  let underWay: Promise<void> | undefined

  async function refresh(): Promise<void> {
    const asked = performance.now()
    try {
      latest = await take()
      freshUntil = performance.now() + restAfter(performance.now() - asked)
    } catch {
      latest = unknown
      freshUntil = performance.now() + FRESH_MS
    }
    underWay = undefined
  }

  return async () => {
    if (performance.now() < freshUntil) return latest
    underWay ??= refresh()
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)))
    await Promise.race([underWay, enough])
    clearTimeout(timer)
    return latest
  }
}

function restAfter(tookMs: number): number {
  return Math.min(MOST_REST_MS, Math.max(FRESH_MS, tookMs * REST_FACTOR))
}
