import type pg from 'pg'
import { disabledEndpoints, failingMessages, storedAt } from './notifications.ts'
import { readBacklog, readLanes, travellingEvents } from './products.ts'
import type { NotificationsSide, ProductsSide } from './view.ts'

/** What SQS grants a message before it moves it to the dead-letter queue, unless the queue says otherwise. */
const MAX_RECEIVES = 5

export async function readProducts(db: pg.Pool): Promise<ProductsSide> {
  const [backlog, lanes, events] = await Promise.all([readBacklog(db), readLanes(db), travellingEvents(db)])
  return { backlog, lanes, events }
}

export async function readNotifications(db: pg.Pool, eventIds: string[]): Promise<NotificationsSide> {
  const [backlog, lanes, stored, failing, disabled] = await Promise.all([
    readBacklog(db),
    readLanes(db),
    storedAt(db, eventIds),
    failingMessages(db, MAX_RECEIVES),
    disabledEndpoints(db),
  ])
  return { backlog, lanes, stored, failing, disabled }
}
