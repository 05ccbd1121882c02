import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, harmlessJson, type Terminal, UsageError } from '@product-events/terminal'
import { findEvent } from './find-event.ts'
import type { Found } from './found.ts'
import { NOT_FOUND } from './program.ts'
import { screen } from './screen.ts'
import type { Sources } from './sources.ts'

/** Between two looks of a watch. */
const AGAIN_MS = 1_000
const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const
/** SQS keeps no message, and the outbox no processed event, that long. */
const MOST_MS = 60 * UNITS.d

export interface FindCommand {
  since: string
  watch: boolean
  json: boolean
}

/** Looks once, or until the event has arrived or the person stops it. Resolves with the exit code. */
export async function runFind(
  id: string,
  { since, watch, json }: FindCommand,
  { stdout, signal, progress }: Terminal,
  sources: Sources,
): Promise<number> {
  const sinceMs = readSince(since)
  let last = ''
  for (;;) {
    progress.now('looking into both databases and SQS')
    const found = await findEvent(id, { ...sources, sinceMs })
    if (found.kind === 'no-id') throw new UsageError(`${JSON.stringify(id)} is no id: expected ${found.expected}`)
    progress.now(watch ? 'waiting until it arrives' : '')
    const shown = json ? `${harmlessJson(found, watch ? undefined : 2)}\n` : screen(found, Date.now())
    const state = placesOf(found)
    // A watch says only what changed.
    if (state !== last) stdout(shown)
    last = state
    if (!watch || hasArrived(found)) return exitCodeOf(found)
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => {})
    if (signal.aborted) return EXIT.interrupted
  }
}

/** What a source that does not answer may know is no "not found". */
function exitCodeOf({ kind, looked }: Exclude<Found, { kind: 'no-id' }>): number {
  if (kind !== 'not-found') return EXIT.done
  return looked.missing.length > 0 ? EXIT.notDone : NOT_FOUND
}

function readSince(text: string): number {
  const [, number, unit] = /^([0-9]{1,5})([mhd])$/.exec(text) ?? []
  const ms = Number(number) * UNITS[(unit ?? 'm') as keyof typeof UNITS]
  if (ms > 0 && ms <= MOST_MS) return ms
  throw new UsageError(`--since must be a time from 1m to 60d, such as 30m, 6h or 2d, not ${JSON.stringify(text)}`)
}

function waysOf(found: Found) {
  return found.kind === 'event' ? [found.way] : found.kind === 'events' ? found.ways : []
}

function hasArrived(found: Found): boolean {
  const ways = waysOf(found)
  return ways.length > 0 && ways.every(({ place }) => place.at === 'notified')
}

/** What a watch compares: where each event is, without what only counts on. */
function placesOf(found: Found): string {
  const places = waysOf(found).map(({ event_id, place, deliveries }) => [
    event_id,
    place.at,
    'state' in place ? place.state : '',
    place.at === 'queue' && place.state === 'failing' ? place.failure.failures : 0,
    deliveries.map(({ status, attempts }) => [status, attempts]),
  ])
  return JSON.stringify([found.kind, places])
}
