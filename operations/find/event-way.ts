import type { EventWay, FailedMessage, NotificationRow, OutboxRow } from './found.ts'
import { findByEventIds, findDeliveries, findFailures } from './notification-rows.ts'
import { findNear } from './outbox-rows.ts'
import { placeOf } from './place.ts'
import type { Look } from './sources.ts'
import { timeOf } from './ids.ts'

/** The pieces of an event that are at hand; at least one of them. */
export interface Pieces {
  row?: OutboxRow | undefined
  notification?: NotificationRow | undefined
  failure?: FailedMessage | undefined
}

/** Completes the way of one event: looks for the pieces that are not at hand, and decides where it is. */
export async function wayOf(eventId: string, given: Pieces, look: Look): Promise<EventWay> {
  const [row, notification, failure] = await Promise.all([
    given.row ?? rowOf(eventId, look),
    given.notification ?? look.ask('notifications', (db) => findByEventIds(db, [eventId])).then((found) => found?.[0]),
    given.failure ?? look.ask('notifications', (db) => findFailures(db, [eventId])).then((found) => found?.[0]),
  ])
  const deliveries = notification
    ? ((await look.ask('notifications', (db) => findDeliveries(db, notification, look.cost))) ?? [])
    : []
  const known = {
    event_id: eventId,
    row: row ?? null,
    notification: notification ?? null,
    failure: failure ?? null,
    deliveries,
  }
  return {
    ...known,
    type: row?.type ?? notification?.event_type ?? 'unknown',
    product_id: row?.key ?? notification?.product_id ?? 'unknown',
    sequence: sequenceOf(row) ?? notification?.sequence ?? null,
    written_at: row?.created_at ?? null,
    accepted_at: row?.processed_at ?? null,
    stored_at: notification?.received_at ?? null,
    trace_id: row?.headers.traceparent?.split('-')[1] ?? null,
    place: await placeOf(known, look),
  }
}

async function rowOf(eventId: string, look: Look): Promise<OutboxRow | undefined> {
  // Only a UUIDv7 tells its time.
  if (eventId[14] !== '7') return undefined
  const rows = await look.ask('products', (db) => findNear(db, eventId, timeOf(eventId), look.cost))
  return rows?.find(({ event_id }) => event_id === eventId)
}

export function sequenceOf(row: OutboxRow | undefined): string | null {
  const { sequence } = (row?.payload ?? {}) as { sequence?: unknown }
  return typeof sequence === 'string' ? sequence : null
}
