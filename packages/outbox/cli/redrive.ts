import { EXIT, plural, table, type Terminal, UsageError } from '@product-events/terminal'
import type { Tables } from '../database.ts'
import { deadIds, findEvents } from '../find.ts'
import { overtakenBy, redrive as redriveEvents } from '../redrive.ts'
import { type NeverAccepts, neverAccepted } from './fits.ts'
import { readIds } from './ids.ts'
import type { Answer } from './index.ts'
import { userAndHost } from './user-and-host.ts'

/** A person reads no more rows than this; --json has them all. */
const MAX_SHOWN = 100

export interface RedriveCommand {
  words: string[]
  all: boolean
  dryRun: boolean
  rate: number | undefined
  by: string | undefined
}

export async function redrive(
  tables: Tables,
  command: RedriveCommand,
  { signal, progress }: Pick<Terminal, 'signal' | 'progress'>,
  neverAccepts: NeverAccepts,
): Promise<Answer> {
  const by = command.by ?? userAndHost()
  if (by.trim() === '') throw new UsageError('--by must be a name')
  progress.now('reading the dead events')
  const chosen = await choose(tables, command)
  const hopeless = await neverAccepted(tables, chosen, neverAccepts)
  if (hopeless.size > 0 && !command.all) {
    const lines = [...hopeless].map(([id, reason]) => `event ${id} can never be published: ${reason}`)
    throw new Error(`${lines.join('\n')}\nNothing was redriven. Correct the payload by SQL, or delete the event.`)
  }
  const ids = chosen.filter((id) => !hopeless.has(id))
  const overtaken = await overtakenBy(tables, ids)
  const done: string[] = []
  if (!command.dryRun) {
    const onProgress = (redriven: string[]) => {
      done.push(...redriven)
      progress.now(`${done.length} of ${ids.length} redriven`)
    }
    await redriveEvents(tables, ids, { by, rate: command.rate, signal, onProgress })
  }
  return answer({ ids, done, overtaken, hopeless, dryRun: command.dryRun, interrupted: signal.aborted })
}

/** The ids to redrive. Throws, so that nothing is done, when one of those that were given is not there or not dead. */
async function choose(tables: Tables, { words, all }: RedriveCommand): Promise<string[]> {
  if (all && words.length > 0) throw new UsageError('redrive takes ids or --all, not both')
  if (all) return deadIds(tables)
  if (words.length === 0) throw new UsageError('redrive takes one or more ids, or --all')
  const { ids, eventIds } = readIds(words)
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

interface Redriven {
  ids: string[]
  done: string[]
  overtaken: Map<string, number>
  hopeless: Map<string, string>
  dryRun: boolean
  interrupted: boolean
}

function answer({ ids, done, overtaken, hopeless, dryRun, interrupted }: Redriven): Answer {
  const events = (dryRun ? ids : done).map((id) => ({ id, after_younger: overtaken.get(id) ?? 0 }))
  const left = [...hopeless].map(([id, reason]) => ({ id, reason }))
  const rows = events
    .slice(0, MAX_SHOWN)
    .map(({ id, after_younger: younger }) => [
      id,
      younger === 0 ? 'in the order of its key' : `after ${plural(younger, 'younger event')} of its key`,
    ])
  const hidden = events.length - rows.length
  const summary = dryRun
    ? `${plural(events.length, 'event')} would be redriven. Nothing was done.\n`
    : `${plural(done.length, 'event')} redriven.${done.length > 0 ? ' Relays find them at their next poll.' : ''}\n`
  return {
    json: { dry_run: dryRun, interrupted, redriven: dryRun ? 0 : done.length, events, never_accepted: left },
    text: [
      rows.length > 0 ? table(['ID', 'IS PUBLISHED'], rows) : '',
      hidden > 0 ? `and ${hidden} more (--json lists them all)\n` : '',
      left.length > 0
        ? `Left dead, because the broker can never accept them:\n${table(
            ['ID', 'REASON'],
            left.slice(0, MAX_SHOWN).map(({ id, reason }) => [id, reason]),
          )}`
        : '',
      summary,
      interrupted ? `Stopped: ${plural(ids.length - done.length, 'event')} left as they were.\n` : '',
    ].join(''),
    exitCode: interrupted ? EXIT.interrupted : EXIT.done,
  }
}
