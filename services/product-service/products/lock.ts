import type { Product } from '@product-events/contracts'
import type pg from 'pg'
import { type ProductRow, toProduct } from './row.ts'

/**
 * The product as it is now, with its row locked until the end of the transaction: whoever else wants to change it waits,
 * and then sees what became of it. That gives its events their order, and their sequence no gap and no repeat.
 */
export async function lockProduct(tx: pg.ClientBase, id: string): Promise<Product | undefined> {
  const { rows } = await tx.query<ProductRow>(
    `SELECT id, name, description, price, version, created_at, updated_at FROM products
     WHERE id = $1 FOR UPDATE`,
    [id],
  )
  return rows[0] && toProduct(rows[0])
}
