import { randomUUIDv7 } from 'node:crypto'
import { type Product } from './product.ts'
import { ProductCreated } from './product-created.ts'
import { ProductDeleted } from './product-deleted.ts'
import { ProductUpdated } from './product-updated.ts'
import { SOURCE } from './envelope.ts'

export type ProductEvent = ProductCreated | ProductUpdated | ProductDeleted
export type ProductEventType = ProductEvent['type']

/** Every event type there is, and its schema. A new event is a file beside these and a line here. */
export const productEvents = {
  'product.created': ProductCreated,
  'product.updated': ProductUpdated,
  'product.deleted': ProductDeleted,
} as const

/** The event of a change: `id` is fresh, `time` is the product's `updated_at` unless given. */
export function productEvent(
  type: ProductEventType,
  product: Product,
  change: { sequence: number; time: string },
): ProductEvent {
  return {
    specversion: '1.0',
    id: randomUUIDv7(),
    source: SOURCE,
    type,
    subject: product.id,
    time: change.time,
    datacontenttype: 'application/json',
    sequence: String(change.sequence),
    data: product,
  }
}
