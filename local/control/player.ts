import { type Fault, faults, type Stage } from './faults.ts'
import { type Change, createTraffic } from './traffic.ts'

const MOST_RATE = 50
/** Lines that the page shows. */
const LOG_LINES = 12

/** Plays the orders of the control server, and knows the one that is being played. */
export interface Player {
  /** Resolves with the reason when the order is not understood, or with undefined. */
  order(body: Record<string, unknown>): Promise<string | undefined>
  /** What the page shows: traffic, faults, the last lines. */
  state(): object
  /** Ends faults and traffic, and resolves when all is as before them. */
  stop(): Promise<void>
}

export function createPlayer(stage: Stage): Player {
  const stopping = new AbortController()
  const traffic = createTraffic(stage.productsUrl)
  const running = traffic.run(stopping.signal)
  const playing = new Map<string, { until: number; done: Promise<void> }>()
  const log: { at: string; text: string }[] = []

  function note(text: string): void {
    log.unshift({ at: new Date().toISOString(), text })
    log.length = Math.min(log.length, LOG_LINES)
  }

  function play(fault: Fault): void {
    if (playing.has(fault.name)) return
    note(`${fault.title}: begins`)
    const done = fault
      .play(stage, fault.seconds, stopping.signal)
      .then(() => note(`${fault.title}: over`))
      .catch((error: Error) => note(`${fault.title}: failed, ${error.message}`))
      .finally(() => playing.delete(fault.name))
    playing.set(fault.name, { until: Date.now() + fault.seconds * 1000, done })
  }

  async function order(body: Record<string, unknown>): Promise<string | undefined> {
    const { fault, traffic: rate, product } = body
    if (fault !== undefined) {
      const named = faults.find(({ name }) => name === fault)
      if (!named) return `fault must be one of ${faults.map(({ name }) => name).join(', ')}`
      play(named)
    }
    if (rate !== undefined) {
      if (typeof rate !== 'number' || !(rate >= 0 && rate <= MOST_RATE)) return `traffic must be 0 to ${MOST_RATE}`
      traffic.setRate(rate)
      note(rate === 0 ? 'Traffic: stopped' : `Traffic: ${rate} a second`)
    }
    if (product === 'create' || product === 'update' || product === 'delete') {
      await traffic
        .change(product satisfies Change)
        .then(() => note(`A product: ${product}`))
        .catch((error: Error) => note(`A product: ${product} failed, ${error.message}`))
    }
    return undefined
  }

  return {
    order,
    state: () => ({
      traffic: traffic.rate(),
      faults: faults.map(({ name, title, text }) => {
        const until = playing.get(name)?.until
        const seconds_left = until === undefined ? null : Math.max(0, (until - Date.now()) / 1000)
        return { name, title, text, seconds_left }
      }),
      log,
    }),
    async stop() {
      stopping.abort()
      await Promise.all([running, ...[...playing.values()].map(({ done }) => done)])
    },
  }
}
