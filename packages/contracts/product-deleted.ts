import type { Static } from 'typebox'
import { envelope } from './envelope.ts'
import { Product } from './product.ts'

/** A product is gone; `data` is its last state, `sequence` its last version + 1. */
export const ProductDeleted = envelope('product.deleted', Product)
export type ProductDeleted = Static<typeof ProductDeleted>
