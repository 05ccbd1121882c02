import { harmless, harmlessLines, table } from '@product-events/terminal'
import type { Tables } from '../database.ts'
import { type EventRecord, findEvents, listEvents, type Status } from '../find.ts'
import { readIds } from './ids.ts'
import type { Answer } from './index.ts'

/** About a screen. A payload may have a megabyte. */
const SHOWN_CHARACTERS = 4_000

export interface ListOptions {
  status: Status
  key: string | undefined
  type: string | undefined
  limit: number
  after: string
}

export async function list(tables: Tables, { status, key, type, limit, after }: ListOptions): Promise<Answer> {
  const [afterId = '0'] = readIds([after]).ids
  const found = await listEvents(tables, { status, key, type }, afterId, limit + 1)
  const events = found.slice(0, limit)
  const next = found.length > limit ? (events.at(-1)?.id ?? null) : null
  const rows = events.map((event) => [
    event.id,
    event.event_id,
    event.type,
    event.key,
    event.attempts,
    event.created_at,
    event.last_error,
  ])
  const more = next === null ? '' : `There are more: --after ${next}\n`
  return {
    json: { events, next_after: next },
    text:
      events.length === 0
        ? `No event is ${status}${key || type ? ' with this key and type' : ''}.\n`
        : `${table(['ID', 'EVENT ID', 'TYPE', 'KEY', 'ATTEMPTS', 'CREATED', 'LAST ERROR'], rows)}${more}`,
  }
}

export async function show(tables: Tables, word: string, whole: boolean): Promise<Answer> {
  const { ids, eventIds } = readIds([word])
  const [event] = await findEvents(tables, ids, eventIds)
  if (event === undefined) throw new Error(`there is no event ${word}; processed ones are deleted after the retention`)
  return { json: event, text: describe(event, whole) }
}

function describe({ payload, headers, ...fields }: EventRecord, whole: boolean): string {
  const lines = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      return `${name.padEnd(16)} ${bounded(harmless(String(value)), whole)}\n`
    })
  return (
    `${lines.join('')}headers          ${bounded(harmless(JSON.stringify(headers)), whole)}\n` +
    `payload\n${bounded(harmlessLines(JSON.stringify(payload, null, 2)), whole)}\n`
  )
}

function bounded(text: string, whole: boolean): string {
  const left = text.length - SHOWN_CHARACTERS
  if (whole || left <= 0) return text
  return `${text.slice(0, SHOWN_CHARACTERS).toWellFormed()}\n… ${left} more characters: --whole shows them`
}
