import { setTimeout as sleep } from 'node:timers/promises'

const ASK_EVERY_MS = 100

interface Quantiles {
  p99: number
  max: number
}

export interface Watched {
  name: string
  /** Milliseconds until `/health/live` answered. */
  live: Quantiles
  /** The process's own measure of its event loop's delay, in milliseconds: the worst of all samples. */
  lag: Quantiles
  /** Of one processor. */
  cpuShare: number
}

/** Asks a process ten times a second whether it lives, and once a second how late its event loop is, until `end`. */
export function watchProcess(name: string, metricsUrl: string): { end: () => Promise<Watched> } {
  const stop = new AbortController()
  const times: number[] = []
  const lag: Quantiles = { p99: 0, max: 0 }
  let cpu: number | undefined
  const started = performance.now()

  async function ask(): Promise<void> {
    for (let round = 0; !stop.signal.aborted; round++) {
      const asked = performance.now()
      await fetch(`${metricsUrl}/health/live`).then((answer) => answer.arrayBuffer())
      times.push(performance.now() - asked)
      if (round % 10 === 0) await sample()
      await sleep(ASK_EVERY_MS, undefined, { signal: stop.signal }).catch(() => {})
    }
  }

  async function sample(): Promise<number> {
    const text = await (await fetch(`${metricsUrl}/metrics`)).text()
    const value = (metric: string) => Number(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0)
    lag.p99 = Math.max(lag.p99, value('nodejs_eventloop_lag_p99_seconds') * 1000)
    lag.max = Math.max(lag.max, value('nodejs_eventloop_lag_max_seconds') * 1000)
    cpu ??= value('process_cpu_seconds_total')
    return value('process_cpu_seconds_total')
  }

  const asking = ask()
  return {
    async end() {
      stop.abort()
      await asking
      const used = (await sample()) - (cpu ?? 0)
      times.sort((a, b) => a - b)
      const live = { p99: times[Math.floor(times.length * 0.99)] ?? NaN, max: times.at(-1) ?? NaN }
      return { name, live, lag, cpuShare: used / ((performance.now() - started) / 1000) }
    },
  }
}
