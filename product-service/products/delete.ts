import { type Product, type ProductEvent, productEvent } from 'contracts'
import type pg from 'pg'
import { appendEvent } from './append-event.ts'
import { type ProductRow, toProduct } from './row.ts'

/**
 * Deletes a product and writes the event that tells of it, with the last state, in the caller's transaction. Undefined
 * when there is no such product: of two that delete the same one, the second waits for the first and finds nothing.
 */
export async function deleteProduct(tx: pg.ClientBase, id: string): Promise<ProductEvent | undefined> {
  const product = await removeProduct(tx, id)
  if (!product) return undefined
  const time = new Date().toISOString()
  const event = productEvent('product.deleted', product, { sequence: product.version + 1, time })
  await appendEvent(tx, event)
  return event
}

async function removeProduct(tx: pg.ClientBase, id: string): Promise<Product | undefined> {
  const { rows } = await tx.query<ProductRow>(
    `DELETE FROM products WHERE id = $1
     RETURNING id, name, description, price, version, created_at, updated_at`,
    [id],
  )
  return rows[0] && toProduct(rows[0])
}
