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

export interface Comparison {
  standings: Standing[]
  skipped: Skipped[]
}

/** Runs the rounds interleaved (A B C, A B C, …): what the machine does meanwhile hits all alike. */
export async function compare(
  { contestants, skipped }: Pick<Arena, 'contestants' | 'skipped'>,
  rounds: number,
  say: (progress: string) => void,
): Promise<Comparison> {
  const results = contestants.map(({ name, beside }) => ({ name, beside, rounds: [] as Figures[] }))
  for (let round = 1; round <= rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      say(`round ${round} of ${rounds}: ${contestant.name}`)
      results[index]!.rounds.push(await contestant.round())
    }
  }
  return {
    skipped,
    standings: results.map(({ name, beside, rounds }) => {
      const ours = (results.find((result) => result.name === beside) ?? results[0])?.rounds ?? []
      const isOurs = ours === rounds
      return {
        name,
        rounds,
        figures: perFigure(rounds, (figure) => rounds.map((round) => round[figure] ?? NaN)),
        // What is measured of one of the two alone has no ratio.
        oursToTheirs: isOurs
          ? {}
          : perFigure(rounds, (figure) =>
              rounds.map((round, index) => (ours[index]?.[figure] ?? NaN) / (round[figure] ?? NaN)),
            ),
      }
    }),
  }
}

function perFigure(rounds: Figures[], values: (figure: string) => number[]): Record<string, Summary> {
  const figures = Object.keys(rounds[0] ?? {}).map((figure) => [figure, values(figure)] as const)
  return Object.fromEntries(
    figures.filter(([, all]) => all.every(Number.isFinite)).map(([figure, all]) => [figure, summarise(all)]),
  )
}
