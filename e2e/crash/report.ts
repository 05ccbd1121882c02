import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { violationKinds } from '../history/check.ts'
import { tellProduct } from '../history/history.ts'
import type { FaultCounts } from './harm.ts'
import type { RestoreResult } from './restore-round.ts'
import { passed, type RoundResult } from './round.ts'

/** Violations that are shown with the whole history of their product; the file has all. */
const SHOWN = 3

/** One round in a few lines: seed, verdict, throughput, faults. */
export function roundLines(number: number, result: RoundResult): string {
  const {
    seed,
    history,
    violations,
    surprises,
    activeMs,
    drainedMs,
    trueMs,
    lastTrue,
    looks,
    streamConnections,
    deliveries,
    faults,
  } = result
  const { operations, events, accepted, notifications } = history
  const outcomes = (['ok', 'failed', 'unknown'] as const).map(
    (outcome) => `${operations.filter((operation) => operation.outcome === outcome).length} ${outcome}`,
  )
  const verdict = violationKinds.map(
    (kind) => `${kind} ${violations.filter((violation) => violation.kind === kind).length}`,
  )
  const drained = drainedMs === undefined ? 'NOT DRAINED' : `drained in ${(drainedMs / 1000).toFixed(1)} s`
  return [
    `round ${number}, seed ${seed}: ${passed(result) ? 'passed' : 'FAILED'}: ${verdict.join(', ')}, surprises ${surprises.length}`,
    `  ${operations.length} calls (${outcomes.join(', ')}) in ${(activeMs / 1000).toFixed(1)} s, ` +
      `${Math.round((events.length * 1000) / activeMs)} events/s; ${drained}`,
    `  ${events.length} events, accepted ${accepted.length} times, ${notifications.length} notifications`,
    `  ${deliveries} deliveries to the well-behaved webhook; streams equal the list after ${streamConnections} connections`,
    `  /health/live judged ${looks.count} times, slowest ${Math.round(looks.slowestMs)} ms; ` +
      `gauges true ${(trueMs / 1000).toFixed(1)} s after draining${lastTrue === undefined ? '' : ` (last: ${lastTrue})`}`,
    `  faults: ${tellFaults(faults)}`,
  ].join('\n')
}

export function restoreLines({ wrong, before, after, restored }: RestoreResult): string {
  if (wrong.length > 0) {
    const shown = wrong.slice(0, SHOWN).map((what) => `  ${what}`)
    return [`restore to an earlier state: FAILED: ${wrong.length} wrong`, ...shown].join('\n')
  }
  return `restore to an earlier state: passed
  ${before} changes before it, ${after} after it; ${restored} events of the restored state; none missing, none dropped`
}

export function tellFaults(faults: FaultCounts): string {
  return [...faults]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([fault, count]) => `${fault} ${count}`)
    .join(', ')
}

/** Writes all that is known of a failed round to `file`, and returns what a person wants to see first. */
export async function reportFailure(result: RoundResult, logs: Map<string, string[]>, file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true })
  const whole = { ...result, faults: Object.fromEntries(result.faults), logs: Object.fromEntries(logs) }
  await writeFile(file, JSON.stringify(whole, undefined, 1))
  const shown = result.violations.slice(0, SHOWN).map(({ kind, productId, what }) => {
    const story = productId === undefined ? '' : `\n${tellProduct(result.history, productId)}`
    return `${kind}: ${what}${story}`
  })
  return [...result.surprises.slice(0, SHOWN), ...shown, `the whole history: ${file}`].join('\n')
}
