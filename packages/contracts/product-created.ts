import type { Static } from 'typebox'
import { envelope } from './envelope.ts'
import { Product } from './product.ts'

/** A product came into being; `data` is its first state. */
export const ProductCreated = envelope('product.created', Product)
export type ProductCreated = Static<typeof ProductCreated>
