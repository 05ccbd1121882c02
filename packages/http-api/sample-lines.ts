/**
 * Which lines of requests are written. A service that answers ten thousand a second would spend more on telling so
 * than on answering; but these rules keep every line that is worth a search:
 *
 * - A request that was refused, failed or was slow always has its line. So has every change of a product and every
 *   notification: those lines don't come by here.
 * - Of the others, the first hundred of each second have theirs, and above that one of a hundred has.
 * - A line that also stands for requests before it says for how many, itself included: `sampled`. So the lines'
 *   `sampled`, 1 where there is none, add up to the number of requests, but for those (less than a hundred) that the
 *   next will tell.
 */

/** More than a person reads or a quiet service gets: below it nothing is ever left out. */
export const ALL_OF_FIRST = 100
/** At 10 000 requests a second: 200 lines of them. */
export const ONE_OF = 100
/** Ten times the duration of a slow answer: such a request always has its line. */
export const SLOW_MS = 1_000

export interface Answered {
  status: number
  duration_ms: number
}

/** Whether to write the line of this request, and for how many it stands. */
export type SampleLine = (answered: Answered) => { kind: 'written'; standsFor: number } | { kind: 'left out' }

const leftOut = { kind: 'left out' } as const
const alone = { kind: 'written', standsFor: 1 } as const

/** `now` in milliseconds, from whenever. */
export function sampleLines(now: () => number = () => performance.now()): SampleLine {
  let second = -1
  let written = 0
  let untold = 0
  return ({ status, duration_ms }) => {
    if (status >= 400 || duration_ms >= SLOW_MS) return alone
    const current = Math.floor(now() / 1000)
    if (current !== second) {
      second = current
      written = 0
    }
    if (written >= ALL_OF_FIRST && untold + 1 < ONE_OF) {
      untold++
      return leftOut
    }
    written++
    const standsFor = untold + 1
    untold = 0
    return { kind: 'written', standsFor }
  }
}
