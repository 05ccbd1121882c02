import { transaction } from '@product-events/database'
import type pg from 'pg'
import type { TraceHeaders } from '@product-events/telemetry'
import type { NewNotification } from '../notifications/notification.ts'
import { type Inserted, storeNotifications } from '../notifications/store.ts'
import { type Destination, deliveriesOf, nameOf } from './delivery.ts'
import type { DisabledEndpoints } from './disabled-endpoints.ts'
import { outbox } from './outbox.ts'

/** Where new notifications go out to. */
export interface Outgoing {
  destinations: readonly Destination[]
  disabled: DisabledEndpoints
  /** Tells the relay that there is something new. */
  nudge(): void
}

/**
 * Stores those notifications whose event is not known yet, and in the same transaction appends their deliveries: both
 * exist, or neither does. The lock that orders the positions orders the deliveries of each product too.
 *
 * Deliveries carry on the trace that `traces` has for the id of their notification; `contents` is for
 * `storeNotifications`.
 *
 * Resolves and rejects like `storeNotifications`, which is all there is to do without a channel.
 */
export async function storeWithDeliveries(
  pool: pg.Pool,
  notifications: readonly NewNotification[],
  outgoing: Outgoing | undefined,
  traces?: ReadonlyMap<string, TraceHeaders>,
  contents?: ReadonlyMap<string, string>,
): Promise<Inserted[]> {
  if (!outgoing) return storeNotifications(pool, notifications, contents)
  const disabled = await outgoing.disabled.names()
  const destinations = outgoing.destinations.filter((destination) => !disabled.has(nameOf(destination)))
  const inserted = await transaction(pool, (tx) => storeAll(tx, notifications, destinations, traces, contents))
  if (inserted.length > 0) outgoing.nudge()
  return inserted
}

/** The same in the caller's transaction. */
export async function storeAll(
  tx: pg.PoolClient,
  notifications: readonly NewNotification[],
  destinations: readonly Destination[],
  traces?: ReadonlyMap<string, TraceHeaders>,
  contents?: ReadonlyMap<string, string>,
): Promise<Inserted[]> {
  const inserted = await storeNotifications(tx, notifications, contents)
  const ids = new Set(inserted.map(({ id }) => id))
  const isNew = notifications.filter(({ id }) => ids.has(id))
  await outbox.append(tx, deliveriesOf(isNew, destinations, traces))
  return inserted
}
