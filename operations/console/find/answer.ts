import { duration, plural } from '@product-events/terminal'
import type { Found as Answer, Traveller, Verdict } from '../answers.ts'
import {
  describeFound,
  describePlace,
  type EventWay,
  findEvent,
  type Found,
  type FindOptions,
} from '../../find/index.ts'
import { stepsOf } from './steps.ts'

export interface FindPlaces extends FindOptions {
  /** Pages of other systems about one event. */
  links: (event: { trace: string | undefined; eventId: string }) => Answer['links']
}

/** Where is my event? The same search and the same words as `npm run find`, for the page. */
export async function answerOf(id: string, places: FindPlaces): Promise<Answer> {
  const found = await findEvent(id, places)
  switch (found.kind) {
    case 'event': {
      const family = await findEvent(found.way.product_id, places)
      const ways = family.kind === 'events' ? family.ways : []
      return ofWay(found.way, ways.length > 0 ? ways : [found.way], describeFound(found), places)
    }
    case 'events': {
      const newest = found.ways.at(-1)
      return newest ? ofWay(newest, found.ways, describeFound(found), places) : nothing(id, describeFound(found))
    }
    case 'message':
      return ofMessage(found)
    case 'not-found':
      return nothing(id, describeFound(found))
    default:
      return { ...empty, verdict: unknown('This is no id.', `${id} is not ${found.expected}.`) }
  }
}

const empty: Answer = {
  kind: 'nothing',
  verdict: { level: 'unknown', headline: '', detail: '', actions: [] },
  looked: '',
  steps: [],
  event: null,
  siblings: [],
  documents: [],
  links: [],
}

function unknown(headline: string, detail: string): Verdict {
  return { level: 'unknown', headline, detail, actions: [] }
}

function nothing(id: string, looked: string): Answer {
  const detail = `${id}. A request id is in the logs only: search them for it, and find the event_id there.`
  return { ...empty, verdict: unknown('Nothing has this id.', detail), looked }
}

function ofMessage(found: Extract<Found, { kind: 'message' }>): Answer {
  const { failure, body } = found
  return {
    ...empty,
    kind: 'message',
    verdict: {
      level: 'wrong',
      headline: failure
        ? `A message that failed ${plural(failure.failures, 'time')}.`
        : 'A message in the dead-letter queue.',
      detail: failure?.reason ?? 'The consumer noted no reason.',
      actions: ['Open Needs you: is the message in the dead-letter queue?'],
    },
    looked: describeFound(found),
    documents: [
      ...(body === null ? [] : [{ name: 'Body', json: body }]),
      ...(failure ? [{ name: 'Failure', json: failure }] : []),
    ],
  }
}

function ofWay(way: EventWay, ways: readonly EventWay[], looked: string, { links }: FindPlaces): Answer {
  const now = Date.now()
  return {
    kind: 'event',
    verdict: verdictOn(way, now),
    looked,
    steps: stepsOf(way, now),
    event: travellerOf(way, now),
    siblings: ways.toReversed().map((one) => travellerOf(one, now)),
    documents: documentsOf(way),
    links: links({ trace: way.trace_id ?? undefined, eventId: way.event_id }),
  }
}

function verdictOn(way: EventWay, now: number): Verdict {
  const { place, type, sequence, product_id } = way
  const { where, why, next, action } = describePlace(way, now)
  const about = `${type}, sequence ${sequence ?? '?'}, of ${nameOf(way) ?? 'the product'} ${product_id}.`
  if (place.at === 'notified') return { level: 'good', headline: arrival(way), detail: about, actions: [] }
  const level = place.at === 'unknown' ? 'unknown' : isStuck(place) ? 'wrong' : 'busy'
  return { level, headline: where, detail: `${about} ${why} ${next}`, actions: action === null ? [] : [action] }
}

/** Only an operator, or the end of an outage, moves it on. */
function isStuck(place: EventWay['place']): boolean {
  if (place.at === 'dead-letter-queue' || place.at === 'lost') return true
  return 'state' in place && ['dead', 'failed', 'blocked', 'failing', 'abandoned'].includes(place.state)
}

function arrival({ written_at, stored_at, notification, deliveries }: EventWay): string {
  const written = written_at ?? notification?.occurred_at
  const times = [stored_at, ...deliveries.map(({ delivered_at }) => delivered_at)].flatMap((at) => at?.getTime() ?? [])
  const took = written ? ` ${duration((Math.max(...times) - written.getTime()) / 1000)} after it was written` : ''
  return deliveries.length === 0
    ? `Notified${took}.`
    : `Delivered to ${deliveries.length} of ${plural(deliveries.length, 'endpoint')},${took}.`
}

function nameOf({ row, notification }: EventWay): string | null {
  const { data } = (row?.payload ?? {}) as { data?: { name?: unknown } }
  return typeof data?.name === 'string' ? data.name : (notification?.title ?? null)
}

const SHORT: Record<EventWay['place']['at'], { step: number; where: string }> = {
  outbox: { step: 2, where: 'in the outbox' },
  queue: { step: 3, where: 'in the queue' },
  'dead-letter-queue': { step: 3, where: 'in the dead-letter queue' },
  lost: { step: 3, where: 'lost after SQS' },
  channels: { step: 6, where: 'being delivered' },
  notified: { step: 7, where: 'notified' },
  unknown: { step: 2, where: 'unknown' },
}

function travellerOf(way: EventWay, now: number): Traveller {
  const { place, row, event_id, type, product_id, sequence, written_at, stored_at, notification } = way
  const { step, where } = SHORT[place.at]
  const written = written_at ?? notification?.occurred_at ?? new Date(now)
  const state =
    place.at === 'notified'
      ? 'arrived'
      : isStuck(place) && !('state' in place && place.state !== 'dead')
        ? 'dead'
        : 'waiting'
  return {
    id: row?.id ?? '',
    event_id,
    type,
    product_id,
    product_name: nameOf(way),
    sequence,
    written_at: written.toISOString(),
    step,
    state,
    where: 'state' in place ? `${where}, ${place.state}` : where,
    age_ms: Math.max(0, (stored_at?.getTime() ?? now) - written.getTime()),
  }
}

function documentsOf({ row, notification, deliveries, failure }: EventWay): Answer['documents'] {
  const documents: Answer['documents'] = []
  if (row) {
    const { payload, headers, ...rest } = row
    documents.push(
      { name: 'CloudEvent', json: payload },
      { name: 'Headers', json: headers },
      { name: 'Row', json: rest },
    )
  }
  if (notification) documents.push({ name: 'Notification', json: notification })
  if (failure) documents.push({ name: 'Failure', json: failure })
  if (deliveries.length > 0) documents.push({ name: 'Deliveries', json: deliveries })
  return documents
}
