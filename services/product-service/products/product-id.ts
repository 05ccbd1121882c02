import { randomUUIDv7 } from 'node:crypto'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Only a UUID can be the id of a product; PostgreSQL would refuse to look for any other text. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}

/** A fresh id, and the time that is in it: ordered by id, products are ordered by `created_at` too. */
export function newProductId(): { id: string; created_at: string } {
  const id = randomUUIDv7()
  return { id, created_at: new Date(timeOf(id)).toISOString() }
}

/** The first 48 bits of a UUIDv7 are milliseconds since 1970. */
function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}
