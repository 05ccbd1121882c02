import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Ten times and more what an answer takes on a busy machine, and half of what one hostile message or URL once cost. */
const MAX_MS = 500
const TRIES = 3

/** Asks each process for what it answers without a database, and the APIs for what they answer with one. */
export interface Pulse {
  /**
   * What is wrong with the next answers, after `step` was done once more for each slow one: a machine that was busy
   * with something else is not slow three times in a row. Undefined when nothing is.
   */
  fault(step: () => Promise<unknown>): Promise<string | undefined>
}

export function createPulse(urls: readonly string[]): Pulse {
  return {
    async fault(step) {
      let fault: string | undefined
      for (let tries = 0; tries < TRIES; tries++) {
        if (tries > 0) await step()
        const answers = await Promise.all(urls.map(ask))
        fault = answers.find((answer) => answer !== undefined)
        if (fault === undefined) return undefined
      }
      return fault
    },
  }
}

async function ask(url: string): Promise<string | undefined> {
  // What this process itself was late by is not the service's.
  const own = monitorEventLoopDelay({ resolution: 5 })
  own.enable()
  const started = performance.now()
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
    await response.arrayBuffer()
    own.disable()
    const ms = performance.now() - started - own.max / 1e6
    if (response.status >= 500 && response.status !== 503) return `${url} answered ${response.status}`
    return ms > MAX_MS ? `${url} took ${Math.round(ms)} ms` : undefined
  } catch (error) {
    return `${url} did not answer: ${(error as Error).message}`
  } finally {
    own.disable()
  }
}
