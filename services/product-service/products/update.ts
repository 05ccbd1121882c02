import { type Product, type ProductEvent, productEvent } from '@product-events/contracts'
import type pg from 'pg'
import type { SpanContext } from '@product-events/telemetry'
import { appendEvent } from './append-event.ts'
import { lockProduct } from './lock.ts'
import type { ProductPatch } from './schemas.ts'

export type Update =
  | { kind: 'missing' }
  | { kind: 'refused'; product: Product }
  /** It was like this already: no new version, and no event. */
  | { kind: 'unchanged'; product: Product }
  | { kind: 'updated'; product: Product; event: ProductEvent }

/**
 * Changes a product that `mayChange` by a JSON merge patch (RFC 7396), and writes the event that tells of it, in the
 * caller's transaction.
 */
export async function updateProduct(
  tx: pg.ClientBase,
  id: string,
  patch: ProductPatch,
  mayChange: (product: Product) => boolean,
  trace?: SpanContext,
): Promise<Update> {
  const before = await lockProduct(tx, id)
  if (!before) return { kind: 'missing' }
  if (!mayChange(before)) return { kind: 'refused', product: before }
  const { name = before.name, price = before.price } = patch
  // null takes a field away, and a product without a description has an empty one.
  const description = patch.description === undefined ? before.description : (patch.description ?? '')
  if (name === before.name && description === before.description && price === before.price)
    return { kind: 'unchanged', product: before }
  const updated_at = new Date().toISOString()
  const product: Product = { ...before, name, description, price, version: before.version + 1, updated_at }
  const event = productEvent('product.updated', product, { sequence: product.version, time: updated_at })
  await storeProduct(tx, product)
  await appendEvent(tx, event, trace)
  return { kind: 'updated', product, event }
}

async function storeProduct(
  tx: pg.ClientBase,
  { id, name, description, price, version, updated_at }: Product,
): Promise<void> {
  await tx.query(
    'UPDATE products SET name = $2, description = $3, price = $4, version = $5, updated_at = $6 WHERE id = $1',
    [id, name, description, price, version, updated_at],
  )
}
