import type { Depth } from '@product-events/inbox/command'
import type { Look } from '../../status/scrape.ts'
import type { Backlog, EventRow, Lanes } from './products.ts'
import type { FailingMessage } from './notifications.ts'
import type { Known } from './source.ts'

/** What the outbox of product-service looks like in its database. */
export interface ProductsSide {
  backlog: Backlog
  lanes: Lanes
  events: EventRow[]
}

/** The same of notification-service, whose outbox holds the deliveries. */
export interface NotificationsSide {
  backlog: Backlog
  lanes: Lanes
  stored: Map<string, Date>
  failing: FailingMessage[]
  disabled: { endpoint: string; reason: string }[]
}

/** How many messages are in the queue, and how many in its dead-letter queue. */
export interface Depths extends Depth {
  dead_letters: number
}

/** All that the console knows at one moment. */
export interface View {
  now: number
  /** Two looks at metrics and health of each process; rates are those between them. */
  before: Look[]
  after: Look[]
  products: Known<ProductsSide>
  notifications: Known<NotificationsSide>
  queue: Known<Depths>
}
