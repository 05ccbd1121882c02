import { startCrashStack } from './crash-stack.ts'
import { reportFailure, restoreLines, roundLines, tellFaults } from './report.ts'
import { type Ears, passed, runRound } from './round.ts'
import { runRestore } from './restore-round.ts'
import { knowsUpdates } from './writer.ts'

/** After each so many rounds the databases are set back to an earlier state. */
const RESTORE_EVERY = 3

export interface SuiteOptions {
  rounds: number
  /** Of the first round; each next one has the next number. */
  seed: number
  /** How long faults and writes go on in a round. */
  seconds: number
  fifo: boolean
  /** The command of PgBouncer, to go through it. */
  pgbouncer?: string | undefined
  /** Where the history of a failed round is written. */
  failureDir: string
  say: (line: string) => void
  signal?: AbortSignal
}

/**
 * Runs the rounds on one stack, telling of each, and resolves with how many failed. Stops early when `signal` aborts.
 */
export async function runSuite(options: SuiteOptions): Promise<{ rounds: number; failed: number }> {
  const { rounds, seed, seconds, fifo, pgbouncer, failureDir, say, signal } = options
  const ears: Ears = { accepted: [], faults: new Map(), surprises: [] }
  const total = new Map<string, number>()
  const stack = await startCrashStack({
    fifo,
    pgbouncer,
    onAccepted: (body) => void ears.accepted.push(body),
    onFault: (fault) => void ears.faults.set(fault, (ears.faults.get(fault) ?? 0) + 1),
    onSurprise: (what) => void ears.surprises.push(what),
  })
  let failed = 0
  let round = 0
  try {
    await stack.ready()
    const updates = await knowsUpdates(stack.urls[0] ?? '')
    while (round < rounds && !signal?.aborted) {
      const result = await runRound({ stack, ears, seed: seed + round, seconds, updates })
      round++
      say(roundLines(round, result))
      for (const [fault, count] of result.faults) total.set(fault, (total.get(fault) ?? 0) + count)
      if (!passed(result)) {
        failed++
        say(await reportFailure(result, stack.logs, `${failureDir}/crash-${result.seed}.json`))
      }
      if (round % RESTORE_EVERY !== 0) continue
      const restore = await runRestore(stack, ears, result.seed)
      say(restoreLines(restore))
      if (restore.wrong.length > 0) failed++
    }
  } finally {
    await stack.stop()
  }
  say(`${round} rounds, ${failed} failed; faults in all: ${tellFaults(total)}`)
  return { rounds: round, failed }
}
