import { type Product, type ProductEvent, productEvent } from '@product-events/contracts'
import type pg from 'pg'
import type { SpanContext } from '@product-events/telemetry'
import { appendEvent } from './append-event.ts'
import { lockProduct } from './lock.ts'

export type Deletion =
  { kind: 'missing' } | { kind: 'refused'; product: Product } | { kind: 'deleted'; event: ProductEvent }

/**
 * Deletes a product that `mayChange`, and writes the event that tells of it, with the last state, in the caller's
 * transaction. Of two that delete the same one, the second waits for the first and finds nothing.
 */
export async function deleteProduct(
  tx: pg.ClientBase,
  id: string,
  mayChange: (product: Product) => boolean,
  trace?: SpanContext,
): Promise<Deletion> {
  const product = await lockProduct(tx, id)
  if (!product) return { kind: 'missing' }
  if (!mayChange(product)) return { kind: 'refused', product }
  const time = new Date().toISOString()
  const event = productEvent('product.deleted', product, { sequence: product.version + 1, time })
  await tx.query('DELETE FROM products WHERE id = $1', [id])
  await appendEvent(tx, event, trace)
  return { kind: 'deleted', event }
}
