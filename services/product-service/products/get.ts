import type pg from 'pg'
import { WITHIN_A_REQUEST } from '../limits.ts'
import { etagOf } from './etag.ts'
import { type ProductRow, toProduct } from './row.ts'

/** A product as it is answered: made once for all requests that ask for it at the same time. */
export interface ProductText {
  etag: string
  body: string
}

/** Reads the products with these ids by one statement. Undefined for an id that is none's. */
export async function getProducts(db: pg.Pool, ids: string[]): Promise<(ProductText | undefined)[]> {
  const rows = await selectByIds(db, [...new Set(ids)])
  const texts = new Map(
    rows.map((row) => [row.id, { etag: etagOf(row), body: JSON.stringify(toProduct(row)) }] as const),
  )
  return ids.map((id) => texts.get(id))
}

async function selectByIds(db: pg.Pool, ids: string[]): Promise<ProductRow[]> {
  const { rows } = await db.query<ProductRow>({
    text: `SELECT id, name, description, price, version,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
            to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at
     FROM public.products WHERE id = ANY($1::uuid[])`,
    values: [ids],
    ...WITHIN_A_REQUEST,
  })
  return rows
}
