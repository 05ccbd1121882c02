import { hostname, userInfo } from 'node:os'
import type { Tables } from '../database.ts'
import { deadIds, findEvents } from '../find.ts'
import { overtakenBy, redrive as redriveEvents } from '../redrive.ts'
import { readIds, text, type Typed, UsageError, wholeNumber } from './arguments.ts'
import type { Answer } from './run.ts'
import { plural, table } from './table.ts'

/** A line of progress at most this often. */
const PROGRESS_MS = 1_000
/** More rows than this nobody reads; --json has them all. */
const MAX_SHOWN = 100
/** By convention of shells: ended by SIGINT. */
const INTERRUPTED = 130

export async function redrive(
  tables: Tables,
  typed: Typed,
  signal: AbortSignal,
  progress: (line: string) => void,
): Promise<Answer> {
  const rate = wholeNumber(typed, 'rate', { min: 1, max: 10_000 }, undefined)
  const by = text(typed, 'by') ?? whoIsThis()
  if (by.trim() === '') throw new UsageError('--by must be a name')
  const ids = await chosen(tables, typed)
  const overtaken = await overtakenBy(tables, ids)
  const done: string[] = []
  if (typed.flags['dry-run'] !== true) {
    let toldAt = performance.now()
    const onProgress = (redriven: string[]) => {
      done.push(...redriven)
      if (performance.now() - toldAt < PROGRESS_MS) return
      toldAt = performance.now()
      progress(`${done.length} of ${ids.length} redriven\n`)
    }
    await redriveEvents(tables, ids, { by, rate, signal, onProgress })
  }
  return answer(ids, done, overtaken, { dryRun: typed.flags['dry-run'] === true, interrupted: signal.aborted })
}

/** The ids to redrive. Throws, so that nothing is done, when one of those that were given is not there or not dead. */
async function chosen(tables: Tables, { positionals, flags }: Typed): Promise<string[]> {
  if (flags.all === true) {
    if (positionals.length > 0) throw new UsageError('redrive takes ids or --all, not both')
    return deadIds(tables)
  }
  if (positionals.length === 0) throw new UsageError('redrive takes one or more ids, or --all')
  const { ids, eventIds } = readIds(positionals)
  const events = await findEvents(tables, ids, eventIds)
  const faults = [
    ...[...ids, ...eventIds]
      .filter((id) => !events.some((event) => event.id === id || event.event_id === id))
      .map((id) => `there is no event ${id}`),
    ...events
      .filter(({ status }) => status !== 'dead')
      .map(({ id, status }) => `event ${id} is ${status}, and only dead events can be redriven`),
  ]
  if (faults.length > 0) throw new Error(`${faults.join('\n')}\nNothing was redriven.`)
  return events.map(({ id }) => id)
}

function answer(
  ids: string[],
  done: string[],
  overtaken: Map<string, number>,
  { dryRun, interrupted }: { dryRun: boolean; interrupted: boolean },
): Answer {
  const events = (dryRun ? ids : done).map((id) => ({ id, after_younger: overtaken.get(id) ?? 0 }))
  const rows = events
    .slice(0, MAX_SHOWN)
    .map(({ id, after_younger: younger }) => [
      id,
      younger === 0 ? 'in the order of its key' : `after ${plural(younger, 'younger event')} of its key`,
    ])
  const hidden = events.length - rows.length
  const left = ids.length - done.length
  const summary = dryRun
    ? `${plural(events.length, 'event')} would be redriven. Nothing was done.\n`
    : `${plural(done.length, 'event')} redriven.${done.length > 0 ? ' Relays find them at their next poll.' : ''}\n`
  return {
    json: { dry_run: dryRun, interrupted, redriven: dryRun ? 0 : done.length, events },
    text: [
      rows.length > 0 ? table(['ID', 'IS SENT'], rows) : '',
      hidden > 0 ? `and ${hidden} more (--json lists them all)\n` : '',
      summary,
      interrupted ? `Stopped: ${plural(left, 'event')} left as they were.\n` : '',
    ].join(''),
    ...(interrupted && { exitCode: INTERRUPTED }),
  }
}

/** The user may be a number that has no name, as in many containers. */
function whoIsThis(): string {
  try {
    return `${userInfo().username}@${hostname()}`
  } catch {
    return `${process.getuid?.() ?? 'somebody'}@${hostname()}`
  }
}
