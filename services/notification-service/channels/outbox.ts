import { createOutbox } from '@product-events/outbox'
import type { Delivery } from './delivery.ts'

/** Whose outbox it is: the same in every instance. */
export const OWNER = 'notification-service'

/** Deliveries are kept with the notifications, in the schema that the service has had from its beginning. */
export const outbox = createOutbox<Record<string, Delivery>>({ schema: 'public' })
