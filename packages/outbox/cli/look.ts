import type { Tables } from '../database.ts'
import { type EventRecord, findEvents, listEvents, type Status } from '../find.ts'
import { readIds, text, type Typed, UsageError, wholeNumber } from './arguments.ts'
import type { Answer } from './run.ts'
import { printable, table } from './table.ts'

const STATUSES = ['dead', 'failed', 'pending', 'processed']
/** A screen full; the page after it is one option away. */
const LIST_LIMIT = 20

export async function list(tables: Tables, typed: Typed): Promise<Answer> {
  if (typed.positionals.length > 0) throw new UsageError('list takes options only; show <id> looks at one event')
  const status = text(typed, 'status') ?? 'dead'
  if (!STATUSES.includes(status))
    throw new UsageError(`--status must be one of ${STATUSES.join(', ')}, not "${status}"`)
  const limit = wholeNumber(typed, 'limit', { min: 1, max: 1_000 }, LIST_LIMIT)
  const [after = '0'] = readIds([text(typed, 'after') ?? '0']).ids
  const filter = { status: status as Status, key: text(typed, 'key'), type: text(typed, 'type') }
  const found = await listEvents(tables, filter, after, limit + 1)
  const events = found.slice(0, limit)
  const next = found.length > limit ? (events.at(-1)?.id ?? null) : null
  const rows = events.map((event) => [
    event.id,
    event.event_id,
    event.type,
    event.key,
    event.attempts,
    event.created_at.toISOString(),
    event.last_error,
  ])
  const more = next === null ? '' : `There are more: --after ${next}\n`
  return {
    json: { events, next_after: next },
    text:
      events.length === 0
        ? `No event is ${status}${filter.key || filter.type ? ' with this key and type' : ''}.\n`
        : `${table(['ID', 'EVENT ID', 'TYPE', 'KEY', 'ATTEMPTS', 'CREATED', 'LAST ERROR'], rows)}${more}`,
  }
}

export async function show(tables: Tables, typed: Typed): Promise<Answer> {
  const [word, ...others] = typed.positionals
  if (word === undefined || others.length > 0) throw new UsageError('show takes one id')
  const { ids, eventIds } = readIds([word])
  const [event] = await findEvents(tables, ids, eventIds)
  if (event === undefined) throw new Error(`there is no event ${word}; processed ones are deleted after the retention`)
  return { json: event, text: describe(event) }
}

function describe({ payload, headers, ...fields }: EventRecord): string {
  const lines = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(
      ([name, value]) =>
        `${name.padEnd(16)} ${value instanceof Date ? value.toISOString() : printable(String(value))}\n`,
    )
  return `${lines.join('')}headers          ${JSON.stringify(headers)}\npayload\n${JSON.stringify(payload, null, 2)}\n`
}
