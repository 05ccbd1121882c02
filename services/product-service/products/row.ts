import type { Product } from '@product-events/contracts'

/**
 * A row of `products`, as its statements select it: `numeric` as text, since not every `numeric` fits a double (ours
 * all do), and timestamps formatted by SQL, since how `pg` reads one depends on the session's DateStyle.
 */
export interface ProductRow {
  id: string
  name: string
  description: string
  price: string
  version: number
  created_at: string
  updated_at: string
}

export function toProduct({ id, name, description, price, version, created_at, updated_at }: ProductRow): Product {
  return { id, name, description, price: Number(price), version, created_at, updated_at }
}
