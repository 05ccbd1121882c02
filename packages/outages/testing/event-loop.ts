/** How often the watch looks: a loop that never reaches the event loop is seen however short it is. */
const EVERY_MS = 5

/**
 * Watches how late timers of this process are: code that keeps the event loop from turning delays every answer,
 * `/health/live` included. `maxDelayMs` is the longest delay since the start, so the bound of a test needs room for a
 * busy machine.
 */
export function watchEventLoop(): { maxDelayMs(): number; stop(): void } {
  let expected = performance.now() + EVERY_MS
  let worst = 0
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - expected)
    expected = performance.now() + EVERY_MS
  }, EVERY_MS)
  return {
    maxDelayMs: () => Math.max(worst, performance.now() - expected),
    stop: () => clearInterval(timer),
  }
}
