import type { Product } from '@product-events/contracts'

/** A row of `products`, as `pg` reads it: `numeric` as text, since not every `numeric` fits a double. Ours all do. */
export interface ProductRow {
  id: string
  name: string
  description: string
  price: string
  version: number
  created_at: Date
  updated_at: Date
}

export function toProduct(row: ProductRow): Product {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    price: Number(row.price),
    version: row.version,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}
