import { type Static, Type } from 'typebox'
import { Timestamp, Uuid } from './envelope.ts'

/** A product as its events carry it: the state after the change, or the last state when it was deleted. */
export const Product = Type.Object({
  id: Uuid,
  name: Type.String({ maxLength: 200 }),
  description: Type.String({ maxLength: 2_000 }),
  /** At most two decimals and twelve digits: a double holds every such number exactly enough to print it back. */
  price: Type.Number(),
  version: Type.Integer({ minimum: 1 }),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Product = Static<typeof Product>
