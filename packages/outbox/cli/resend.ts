import { EXIT, plural, type Terminal, UsageError } from '@product-events/terminal'
import type { Tables } from '../database.ts'
import { findEvents } from '../find.ts'
import { processedSince, resend as resendEvents, type Resent } from '../redrive.ts'
import { readIds } from './ids.ts'
import type { Answer } from './index.ts'
import { userAndHost } from './user-and-host.ts'

export interface ResendCommand {
  words: string[]
  since: string | undefined
  dryRun: boolean
  rate: number | undefined
  by: string | undefined
}

export async function resend(
  tables: Tables,
  command: ResendCommand,
  { signal, progress }: Pick<Terminal, 'signal' | 'progress'>,
): Promise<Answer> {
  const by = command.by ?? userAndHost()
  if (by.trim() === '') throw new UsageError('--by must be a name')
  progress.now('reading the processed events')
  const which = await choose(tables, command)
  if (command.dryRun) return answer(await count(tables, which, signal), { dryRun: true, interrupted: signal.aborted })
  let done = 0
  const onProgress = (ids: string[]) => {
    done += ids.length
    progress.now(`${done} set to pending`)
  }
  await resendEvents(tables, which, { by, rate: command.rate, signal, onProgress })
  return answer(done, { dryRun: false, interrupted: signal.aborted })
}

/** Throws, so that nothing is done, when an id that was given is not there or not processed. */
async function choose(tables: Tables, { words, since }: ResendCommand): Promise<Resent> {
  if (words.length > 0 === (since !== undefined)) throw new UsageError('resend takes ids or --since <time>')
  if (since !== undefined) {
    const time = new Date(since)
    // Without an offset the time would be that of this machine's zone.
    if (Number.isNaN(time.getTime()) || !/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(since))
      throw new UsageError(`--since must be a time such as 2026-11-26T02:30:00Z, not ${JSON.stringify(since)}`)
    return { since: time }
  }
  const { ids, eventIds } = readIds(words)
  const events = await findEvents(tables, ids, eventIds)
  const faults = [
    ...[...ids, ...eventIds]
      .filter((id) => !events.some((event) => event.id === id || event.event_id === id))
      .map((id) => `there is no event ${id}; processed ones are deleted after the retention`),
    ...events
      .filter(({ status }) => status !== 'processed')
      .map(({ id, status }) => `event ${id} is ${status}, and only processed events can be published again`),
  ]
  if (faults.length > 0) throw new Error(`${faults.join('\n')}\nNothing was changed.`)
  return { ids: events.map(({ id }) => id) }
}

async function count(tables: Tables, which: Resent, signal: AbortSignal): Promise<number> {
  if ('ids' in which) return which.ids.length
  let counted = 0
  for (let after: string | undefined = '0'; after !== undefined && !signal.aborted;) {
    const page: { ids: string[]; last: string | undefined } = await processedSince(tables, which.since, after)
    counted += page.ids.length
    after = page.last
  }
  return counted
}

function answer(events: number, { dryRun, interrupted }: { dryRun: boolean; interrupted: boolean }): Answer {
  const summary = dryRun
    ? `${plural(events, 'processed event')} would be published again. Nothing was done.\n`
    : `${plural(events, 'processed event')} set to pending. Relays publish them after their next poll.\n`
  return {
    json: { dry_run: dryRun, interrupted, resent: dryRun ? 0 : events, events },
    text: `${summary}${interrupted ? 'Stopped before the end.\n' : ''}`,
    exitCode: interrupted ? EXIT.interrupted : EXIT.done,
  }
}
