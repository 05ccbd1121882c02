import { type Product, type ProductEvent, productEvent } from 'contracts'
import type pg from 'pg'
import { appendEvent } from './append-event.ts'
import { newProductId } from './product-id.ts'
import type { NewProduct } from './schemas.ts'

/** Writes a new product and the event that tells of it, in the caller's transaction. */
export async function createProduct(
  tx: pg.ClientBase,
  { name, description = '', price }: NewProduct,
): Promise<{ product: Product; event: ProductEvent }> {
  const { id, created_at } = newProductId()
  const product: Product = { id, name, description, price, version: 1, created_at, updated_at: created_at }
  const event = productEvent('product.created', product, { sequence: product.version, time: created_at })
  await insertProduct(tx, product)
  await appendEvent(tx, event)
  return { product, event }
}

async function insertProduct(tx: pg.ClientBase, product: Product): Promise<void> {
  await tx.query(
    `INSERT INTO products (id, name, description, price, version, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      product.id,
      product.name,
      product.description,
      product.price,
      product.version,
      product.created_at,
      product.updated_at,
    ],
  )
}
