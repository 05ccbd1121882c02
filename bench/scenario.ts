/** What one round of one contestant measured, by name and unit: `{ 'requests/s': 5120, 'p99 ms': 8.1 }`. */
export type Figures = Record<string, number>

/** One of those that are compared: ours, or what people would use instead. */
export interface Contestant {
  name: string
  /** Whose figures are "ours" for its ratio; those of the first contestant if it is not said. */
  beside?: string
  /** One measured round, some seconds long. Figures of the same name are compared across contestants. */
  round(): Promise<Figures>
}

/** What this machine lacks, and why it matters: `{ name: 'pgbench', reason: 'install postgresql-client' }`. */
export interface Skipped {
  name: string
  reason: string
}

/** Everything that one comparison needs, opened by `open` and closed by `close`. */
export interface Arena {
  /** The first is ours: ratios are ours to theirs. Rounds are interleaved: A B C, A B C, … */
  contestants: Contestant[]
  skipped: Skipped[]
  /** The settings that reproduce the measurement; kept with the results. */
  settings: Record<string, unknown>
  close(): Promise<void>
}

export interface Opening {
  /** Smaller numbers, for a look and not for a claim. */
  quick: boolean
  /** An empty folder for whatever is written. It is removed afterwards, however the scenario ends. */
  dir: string
  say: (progress: string) => void
}

export interface Scenario {
  /** As in `npm run bench -- <name>`. */
  name: string
  /** The measurement in one line. */
  title: string
  /** The figure that the chart of the report shows. */
  chart: string
  /** About how long it takes on two idle cores: before the first round, and each round. */
  seconds: { prepare: number; round: number }
  open(opening: Opening): Promise<Arena>
}
