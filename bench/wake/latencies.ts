import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../statistics.ts'

/** When something was committed and when the same thing happened later, by event, in milliseconds of one clock. */
export interface Stopwatch {
  committed(id: string): void
  happened(id: string): void
  /** Resolves with all delays, ascending, once every committed event has happened. */
  delays(): Promise<number[]>
}

export function createStopwatch(): Stopwatch {
  const started = new Map<string, number>()
  const ended = new Map<string, number>()
  return {
    committed: (id) => void started.set(id, performance.now()),
    happened(id) {
      if (!ended.has(id)) ended.set(id, performance.now())
    },
    async delays() {
      while ([...started.keys()].some((id) => !ended.has(id))) await sleep(10)
      const delays = [...started].map(([id, start]) => Math.max(0, ended.get(id)! - start))
      started.clear()
      ended.clear()
      return delays.toSorted((a, b) => a - b)
    },
  }
}

/** Calls `work` `rate` times a second for `seconds`, on schedule whatever the calls take, and waits for all of them. */
export async function atRate(rate: number, seconds: number, work: () => Promise<void>): Promise<void> {
  const start = performance.now()
  const all: Promise<void>[] = []
  for (let n = 0; n < rate * seconds; n++) {
    const wait = start + (n * 1000) / rate - performance.now()
    if (wait > 0) await sleep(wait)
    all.push(work())
  }
  await Promise.all(all)
}

/** `{ 'send p50 ms': …, 'send p99 ms': …, 'send p99.9 ms': … }` */
export function percentiles(what: string, delays: readonly number[]): Record<string, number> {
  return {
    [`${what} p50 ms`]: quantile(delays, 0.5),
    [`${what} p99 ms`]: quantile(delays, 0.99),
    [`${what} p99.9 ms`]: quantile(delays, 0.999),
  }
}
