import type { Product } from 'contracts'
import type pg from 'pg'
import { type ProductRow, toProduct } from './row.ts'

export async function getProduct(db: pg.Pool, id: string): Promise<Product | undefined> {
  const { rows } = await db.query<ProductRow>(
    `SELECT id, name, description, price, version, created_at, updated_at FROM products WHERE id = $1`,
    [id],
  )
  return rows[0] && toProduct(rows[0])
}
