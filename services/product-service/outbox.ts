import type { ProductEvent } from '@product-events/contracts'
import { createOutbox, type EventOf } from '@product-events/outbox'

/** The payload is the whole event, of whichever type. */
type ProductEvents = Record<ProductEvent['type'], ProductEvent>

/** Whose outbox it is: the same in every process that relays its events. */
export const OWNER = 'product-service'

/** Events are kept with the products, in the schema that the service has had from its beginning. */
export const outbox = createOutbox<ProductEvents>({ schema: 'public' })

export type NewProductEvent = EventOf<ProductEvents>
