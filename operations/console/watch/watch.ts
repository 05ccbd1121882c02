import type { Snapshot } from '../answers.ts'
import { createSurvey, type Sources } from './survey.ts'

/** Fast enough to see an event travel, slow enough that one look costs next to nothing. */
const TICK_MS = 1_000

/** One poller for all viewers. It asks nothing while nobody looks. */
export interface Watch {
  /** Calls `show` with the JSON of each snapshot, the latest at once. Returns the function that leaves. */
  enter(show: (json: string) => void): () => void
  /** A fresh snapshot, also when nobody looks. */
  look(): Promise<Snapshot>
  /**
   * One look before anybody comes: the first one loads the code of the clients, which takes longer than the answers.
   */
  warmUp(): Promise<void>
  viewers(): number
  stop(): void
}

export function createWatch(sources: Sources): Watch {
  const survey = createSurvey(sources)
  const viewers = new Set<(json: string) => void>()
  let latest: string | undefined
  let timer: NodeJS.Timeout | undefined

  function forget(): void {
    latest = undefined
    survey.forget()
  }

  async function run(): Promise<void> {
    latest = JSON.stringify(await survey.look())
    for (const show of viewers) show(latest)
  }

  function leave(show: (json: string) => void): void {
    viewers.delete(show)
    if (viewers.size > 0) return
    clearInterval(timer)
    timer = undefined
    forget()
  }

  return {
    enter(show) {
      viewers.add(show)
      if (viewers.size > 1 && latest !== undefined) show(latest)
      else void run()
      timer ??= setInterval(() => void run(), TICK_MS)
      return () => leave(show)
    },
    look: () => survey.look(),
    async warmUp() {
      await survey.look()
      if (viewers.size === 0) forget()
    },
    viewers: () => viewers.size,
    stop() {
      survey.stop()
      clearInterval(timer)
      viewers.clear()
    },
  }
}
