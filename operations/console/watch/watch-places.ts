import type { Instance } from '../../status/scrape.ts'
import type { Places } from '../needs/needs.ts'
import { countNotified, countWritten, createHistory } from './history.ts'
import { readNotifications, readProducts, readQueue } from './sides.ts'
import { createWatch, type Watch } from './watch.ts'

/** The poller of both databases, the queues and the processes. It makes no query before a viewer enters. */
export function watchPlaces({ products, notifications, queues }: Places, instances: readonly Instance[]): Watch {
  const written = createHistory((from, after) => countWritten(products, from, after))
  const notified = createHistory((from, after) => countNotified(notifications, from, after))
  return createWatch({
    instances,
    readProducts: () => readProducts(products, written),
    readNotifications: (eventIds) => readNotifications(notifications, notified, eventIds),
    readQueue: async () => readQueue(await queues()),
    written,
    notified,
  })
}
