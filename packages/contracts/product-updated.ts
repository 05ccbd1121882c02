import type { Static } from 'typebox'
import { envelope } from './envelope.ts'
import { Product } from './product.ts'

/** A product changed; `data` is its state after the change. */
export const ProductUpdated = envelope('product.updated', Product)
export type ProductUpdated = Static<typeof ProductUpdated>
