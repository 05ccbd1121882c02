import { duration, harmless, harmlessLines, plural, table } from '@product-events/terminal'
import type { EventWay, Found } from './found.ts'
import { describeFound, describePlace } from './words.ts'

/** About a screen: a message may have a megabyte. */
const BODY_CHARACTERS = 2_000

/** The answer for a person. Ends with a line break; nothing in it can play with the terminal. */
export function screen(found: Exclude<Found, { kind: 'no-id' }>, now: number): string {
  const end = `\n${harmless(describeFound(found))}\n`
  switch (found.kind) {
    case 'event':
      return eventScreen(found.way, now) + end
    case 'events':
      return eventsScreen(found, now) + end
    case 'message':
      return messageScreen(found) + end
  }
  const { since, missing } = found.looked
  if (missing.length > 0) return `Unknown: not found where it could look.\n${end}`
  const kept = since
    ? 'A trace id, or an id of another origin, that is older: --since 2d'
    : 'Processed events are kept for 72 h.'
  return `Not found. ${kept}\n${end}`
}

function eventScreen(way: EventWay, now: number): string {
  const { where, why, next, action } = describePlace(way, now)
  const facts = table(
    ['', ''],
    [
      ['event', way.event_id],
      ['type', way.type],
      ['product', way.sequence === null ? way.product_id : `${way.product_id}, sequence ${way.sequence}`],
      ...(way.row
        ? [['row', `${way.row.id} of the outbox, lane ${way.row.lane}, ${redriven(way.row.redriven_count)}`]]
        : []),
      ...(way.trace_id ? [['trace', way.trace_id]] : []),
    ],
  )
  const answer = [where, `Why:  ${why}`, `Next: ${next}`, ...(action ? [`Do:   ${action}`] : [])]
  return `${answer.map(harmless).join('\n')}\n\n${facts}\n${steps(way)}`
}

function redriven(count: number): string {
  return count === 0 ? 'never redriven' : `redriven ${plural(count, 'time')}`
}

/** The times that are stored; each with what it took since the one before. */
function steps({ written_at, accepted_at, stored_at, deliveries }: EventWay): string {
  const times: [string, Date | null][] = [
    ['written', written_at],
    ['accepted by SQS', accepted_at],
    ['stored', stored_at],
    ...deliveries.map(({ destination, status, delivered_at }): [string, Date | null] => [
      `${destination} ${status === 'processed' ? 'delivered' : status}`,
      delivered_at,
    ]),
  ]
  let before: Date | null = null
  const rows = times.map(([step, at]) => {
    const took = at && before ? `+${duration(Math.max(0, (at.getTime() - before.getTime()) / 1000))}` : ''
    before = at ?? before
    return [step, at?.toISOString() ?? '-', took]
  })
  return table(['STEP', 'AT', ''], rows)
}

function eventsScreen({ of, id, ways, more }: Extract<Found, { kind: 'events' }>, now: number): string {
  const rows = ways.map((way) => [
    way.sequence,
    way.type,
    way.written_at?.toISOString() ?? way.notification?.occurred_at.toISOString(),
    describePlace(way, now).where,
    way.event_id,
  ])
  const open = ways.filter(({ place }) => place.at !== 'notified')
  const verdict =
    open.length === 0
      ? 'All of them are notified.'
      : `${plural(open.length, 'event')} not notified yet: npm run find -- ${open[0]!.event_id}`
  return `${plural(ways.length, 'event')} of ${of} ${harmless(id)}${more ? ', the newest' : ''}. ${verdict}\n\n${table(
    ['SEQUENCE', 'TYPE', 'WRITTEN', 'WHERE', 'EVENT'],
    rows,
  )}`
}

function messageScreen({ message_id, failure, body }: Extract<Found, { kind: 'message' }>): string {
  const where =
    body === null
      ? 'A message that the consumer could not handle.'
      : 'In the dead-letter queue: a message that is no event of the outbox.'
  const why = failure
    ? `${failure.reason} (${plural(failure.failures, 'failure')}, the last at ${failure.last_failed_at.toISOString()})`
    : 'the consumer noted no reason'
  const shown = body === null ? '' : `\n${harmlessLines(body.slice(0, BODY_CHARACTERS).toWellFormed())}\n`
  return `${where}\nWhy:  ${harmless(why)}\nDo:   npm run inbox -- show ${harmless(message_id)}\n${shown}`
}
