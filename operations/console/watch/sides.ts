import type pg from 'pg'
import type { Queues } from '@product-events/inbox/command'
import { readDepths } from '../../queues.ts'
import type { History } from './history.ts'
import { disabledEndpoints, failingMessages, storedAt } from './notifications.ts'
import { readBacklog, readLanes, travellingEvents } from './products.ts'
import type { Depths, NotificationsSide, ProductsSide } from './view.ts'

/** What SQS grants a message before it moves it to the dead-letter queue, unless the queue says otherwise. */
const MAX_RECEIVES = 5

/**
 * Questions go one after the other, on one connection: a healthy database answers each within milliseconds, and a new
 * connection costs it more than all of them.
 */
export async function readProducts(db: pg.Pool, written: History): Promise<ProductsSide> {
  const backlog = await readBacklog(db)
  const lanes = await readLanes(db)
  const events = await travellingEvents(db)
  await written.read()
  return { backlog, lanes, events }
}

/** `eventIds` are those that the outbox of product-service has just shown. */
export async function readNotifications(
  db: pg.Pool,
  notified: History,
  eventIds: Promise<string[]>,
): Promise<NotificationsSide> {
  const backlog = await readBacklog(db)
  const lanes = await readLanes(db)
  const failing = await failingMessages(db, MAX_RECEIVES)
  const disabled = await disabledEndpoints(db)
  await notified.read()
  const stored = await storedAt(db, await eventIds)
  return { backlog, lanes, stored, failing, disabled }
}

export async function readQueue(queues: Queues): Promise<Depths> {
  const { queue, dead_letters: dead } = await readDepths(queues)
  return { ...queue, dead_letters: dead.visible + dead.in_flight + dead.delayed }
}
