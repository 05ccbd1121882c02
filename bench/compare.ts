import type { Arena, Figures, Skipped } from './scenario.ts'
import { summarise, type Summary } from './statistics.ts'

/** One contestant's figures over all rounds. */
export interface Standing {
  name: string
  figures: Record<string, Summary>
  /** Median over the rounds of ours divided by theirs of the same round, so that a slow minute hits both. */
  oursToTheirs: Record<string, Summary>
  rounds: Figures[]
}

/** The longest rounds take a minute. One that takes longer than this waits for something that will not come. */
const ROUND_TIMEOUT_MS = 180_000

export interface Comparison {
  standings: Standing[]
  skipped: Skipped[]
}

/**
 * Runs the rounds interleaved (A B C, A B C, …): what the machine does meanwhile hits all alike. A contestant whose
 * round fails takes part no more, and is told with its reason among those that are not here.
 */
export async function compare(
  { contestants, skipped }: Pick<Arena, 'contestants' | 'skipped'>,
  rounds: number,
  say: (progress: string) => void,
): Promise<Comparison> {
  const entered = contestants.map((contestant) => ({ contestant, rounds: [] as Figures[], failed: '' }))
  for (let round = 1; round <= rounds; round++) {
    for (const entry of entered.filter(({ failed }) => failed === '')) {
      const { name } = entry.contestant
      say(`round ${round} of ${rounds}: ${name}`)
      await within(ROUND_TIMEOUT_MS, entry.contestant.round()).then(
        (figures) => entry.rounds.push(figures),
        (error: Error) => {
          entry.failed = `failed in round ${round}: ${error.message}`
          say(`${name} ${entry.failed}`)
        },
      )
    }
  }
  const results = entered
    .filter(({ failed }) => failed === '')
    .map(({ contestant: { name, beside }, rounds }) => ({ name, beside, rounds }))
  const failures = entered.filter(({ failed }) => failed !== '')
  return {
    skipped: [...skipped, ...failures.map(({ contestant: { name }, failed }) => ({ name, reason: failed }))],
    standings: results.map(({ name, beside, rounds }) => {
      const ours = results.find((result) => result.name === (beside ?? contestants[0]?.name))?.rounds ?? []
      const isOurs = ours === rounds
      return {
        name,
        rounds,
        figures: perFigure(rounds, (figure) => rounds.map((round) => round[figure] ?? NaN)),
        // A figure of only one of the two has no ratio.
        oursToTheirs: isOurs
          ? {}
          : perFigure(rounds, (figure) =>
              rounds.map((round, index) => (ours[index]?.[figure] ?? NaN) / (round[figure] ?? NaN)),
            ),
      }
    }),
  }
}

async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`it took longer than ${ms / 1000} s`)), ms)
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function perFigure(rounds: Figures[], values: (figure: string) => number[]): Record<string, Summary> {
  const figures = Object.keys(rounds[0] ?? {}).map((figure) => [figure, values(figure)] as const)
  return Object.fromEntries(
    figures.filter(([, all]) => all.every(Number.isFinite)).map(([figure, all]) => [figure, summarise(all)]),
  )
}
