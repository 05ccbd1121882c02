import type pg from 'pg'
import type { Found, Traveller } from '../answers.ts'
import { storedAt } from '../watch/notifications.ts'
import { readLanes } from '../watch/products.ts'
import { toTraveller } from '../watch/travelling.ts'
import { plural } from '../watch/words.ts'
import {
  findDeliveries,
  findEvents,
  findFailure,
  findNotifications,
  type FoundEvent,
  type NotificationRow,
  readId,
  windowStart,
} from './find-event.ts'
import { stepsOf, verdictOn, type WayOf } from './steps.ts'

export interface FindPlaces {
  products: pg.Pool
  notifications: pg.Pool
  /** Why nothing leaves the outbox now; undefined when all is well. */
  outage: () => string | undefined
  /** Pages of other systems about one event. */
  links: (event: { trace: string | undefined; eventId: string }) => Found['links']
}

/** Where is my event? Answers by the id of a product, event, notification, trace or SQS message. */
export async function find(typed: string, places: FindPlaces): Promise<Found> {
  const searched = readId(typed)
  const { products, notifications } = places
  const isUuid = searched.kind === 'uuid'
  // Half an answer beats none: either database may be unreachable.
  const [told, failure] = await Promise.all([
    isUuid ? findNotifications(notifications, searched.id).catch(unreachable<NotificationRow>) : [],
    findFailure(notifications, searched.id).catch(() => undefined),
  ])
  const eventIds = [...(isUuid ? [searched.id] : []), ...told.map(({ event_id }) => event_id)]
  if (failure?.event_id) eventIds.push(failure.event_id)
  const keys = [...new Set([searched.id, ...told.map(({ product_id }) => product_id)])]
  const first = await findEvents(products, {
    keys,
    eventIds,
    ...(searched.kind === 'trace' && { trace: searched.id }),
    ...(searched.kind === 'outbox' && { outboxId: searched.id }),
  }).catch(unreachable<FoundEvent>)
  const key = first[0]?.key ?? told[0]?.product_id
  // The other events of the product, when the id was not that of the product.
  const events =
    key !== undefined && !keys.includes(key) ? await findEvents(products, { keys: [key], eventIds: [] }) : first
  const event = pick(searched.id, first, failure?.event_id ?? undefined)
  const notification =
    told.find(({ event_id, id }) => event_id === event?.event_id || id === searched.id || event_id === searched.id) ??
    (event ? undefined : told[0])
  if (!event && !notification) return nothing(searched.id, failure, products)
  return describe(
    searched.id,
    { event, notification: notification ?? (await tellOf(notifications, event)), events, told, failure },
    places,
  )
}

function unreachable<Row>(): Row[] {
  return []
}

/** By an event's own id that event, by a product's id the newest event of it. */
function pick(id: string, events: FoundEvent[], failed: string | undefined): FoundEvent | undefined {
  return events.find(({ event_id, id: own }) => event_id === id || own === id || event_id === failed) ?? events[0]
}

async function tellOf(notifications: pg.Pool, event: FoundEvent | undefined): Promise<NotificationRow | undefined> {
  if (!event) return undefined
  const rows = await findNotifications(notifications, event.event_id).catch(unreachable<NotificationRow>)
  return rows.find(({ event_id }) => event_id === event.event_id)
}

interface Known {
  event: FoundEvent | undefined
  notification: NotificationRow | undefined
  events: FoundEvent[]
  told: NotificationRow[]
  failure: WayOf['failure']
}

async function describe(id: string, known: Known, places: FindPlaces): Promise<Found> {
  const { event, notification, events, told, failure } = known
  const { products, notifications, outage, links } = places
  const eventId = event?.event_id ?? notification?.event_id ?? id
  const [deliveries, lanes, stored] = await Promise.all([
    findDeliveries(notifications, eventId).catch(unreachable<FoundEvent>),
    readLanes(products).catch(() => undefined),
    storedAt(
      notifications,
      events.map(({ event_id }) => event_id),
    ).catch(() => new Map<string, Date>()),
  ])
  const now = Date.now()
  const owner = event && lanes?.owners[event.lane]
  const way: WayOf = {
    now,
    event,
    notification,
    deliveries,
    failure: event ? failure : undefined,
    outage: outage(),
    olderWaiting: events.filter((other) => event && isWaiting(other) && BigInt(other.id) < BigInt(event.id)).length,
    relay: lanes?.relays.find((relay) => relay.id === owner)?.name,
  }
  const of = (row: FoundEvent) =>
    toTraveller(row, {
      now,
      storedAt: stored.get(row.event_id),
      outage: way.outage,
      behindOlder: events.some((other) => isWaiting(other) && BigInt(other.id) < BigInt(row.id)),
      lane: lanes?.owners[row.lane] ? 'owned' : 'free',
      failing: undefined,
    })
  const siblings = [
    ...events.map(of),
    ...told.filter(({ event_id }) => !events.some((row) => row.event_id === event_id)).map(pruned),
  ]
  const type = event?.type ?? notification?.event_type ?? ''
  const name = event?.name ?? ''
  const sequence = event?.sequence ?? notification?.sequence ?? '?'
  const trace = event?.headers.traceparent?.split('-')[1]
  return {
    kind: 'event',
    verdict: verdictOn(
      way,
      `${type}, sequence ${sequence}, of ${name || 'the product'} ${event?.key ?? notification?.product_id ?? ''}`,
    ),
    looked: '',
    steps: stepsOf(way),
    event: event ? of(event) : notification ? pruned(notification) : null,
    siblings,
    documents: documentsOf(event, notification),
    links: links({ trace, eventId }),
  }
}

function isWaiting({ status }: FoundEvent): boolean {
  return status === 'pending' || status === 'failed'
}

/** An event whose outbox row is deleted, by its notification. */
function pruned({ event_id, event_type, product_id, sequence, occurred_at, received_at }: NotificationRow): Traveller {
  return {
    id: '',
    event_id,
    type: event_type,
    product_id,
    product_name: null,
    sequence,
    written_at: occurred_at.toISOString(),
    step: 7,
    state: 'arrived',
    where: 'notified',
    age_ms: Math.max(0, received_at.getTime() - occurred_at.getTime()),
  }
}

function documentsOf(event: FoundEvent | undefined, notification: NotificationRow | undefined): Found['documents'] {
  if (!event) return [{ name: 'Notification', json: notification }]
  const { payload, headers, ...row } = event
  return [
    { name: 'CloudEvent', json: payload },
    { name: 'Headers', json: headers },
    { name: 'Row', json: row },
    ...(notification ? [{ name: 'Notification', json: notification }] : []),
  ]
}

async function nothing(
  id: string,
  failure: Awaited<ReturnType<typeof findFailure>>,
  products: pg.Pool,
): Promise<Found> {
  const since = await windowStart(products).catch(() => null)
  const looked =
    `All notifications, all events that wait or are dead, and the newest 50,000 events` +
    `${since === null ? '' : `, back to ${since.toISOString()}`}.`
  const empty = { looked, steps: [], event: null, siblings: [], links: [] }
  if (failure)
    return {
      ...empty,
      kind: 'message',
      verdict: {
        level: 'wrong',
        headline: `A message that failed ${plural(failure.failures, 'time')}.`,
        detail: failure.reason,
        actions: ['Open Needs you: is the message in the dead-letter queue?'],
      },
      documents: [{ name: 'Failure', json: failure }],
    }
  return {
    ...empty,
    kind: 'nothing',
    verdict: {
      level: 'unknown',
      headline: 'Nothing has this id.',
      detail: `${id}. Request ids are in the logs: search them for the id, and find the event_id there.`,
      actions: [],
    },
    documents: [],
  }
}
