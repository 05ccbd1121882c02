import { pageTokens } from '@product-events/http-api'
import type pg from 'pg'
import { WITHIN_A_REQUEST } from '../limits.ts'
import { type ProductRow, toProduct } from './row.ts'

/**
 * Newest first, by id: a UUIDv7 begins with the time. A page begins behind an id, so the primary key leads straight to
 * it, however many pages came before, and it does not matter whether that product is still there.
 */
const tokens = pageTokens('products', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
/** Above every UUIDv7. */
const BEFORE_THE_FIRST = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Which page: at most `limit` products, those behind that id. */
export interface PageQuery {
  behind: string
  limit: number
}

/** Throws a problem (400) when `token` is none of this list's. */
export function pageQuery(limit: number, token: string | undefined): PageQuery {
  return { limit, behind: token === undefined ? BEFORE_THE_FIRST : tokens.decode(token) }
}

/** The token of the page behind the product with that id. */
export function pageTokenBehind(id: string): string {
  return tokens.encode(id)
}

/** Reads pages and returns each as it is answered. The same page is read once, for all who ask for it. */
export async function listProducts(db: pg.Pool, queries: PageQuery[]): Promise<string[]> {
  const pages = new Map<string, Promise<string>>()
  return Promise.all(
    queries.map((query) => {
      const key = `${query.behind} ${query.limit}`
      const page = pages.get(key) ?? readPage(db, query)
      pages.set(key, page)
      return page
    }),
  )
}

async function readPage(db: pg.Pool, { behind, limit }: PageQuery): Promise<string> {
  // One more than asked for tells whether another page follows.
  const rows = await selectBehind(db, behind, limit + 1)
  const products = rows.slice(0, limit).map(toProduct)
  const last = products.at(-1)
  return JSON.stringify({ products, next_page_token: rows.length > limit && last ? pageTokenBehind(last.id) : null })
}

async function selectBehind(db: pg.Pool, id: string, limit: number): Promise<ProductRow[]> {
  const { rows } = await db.query<ProductRow>({
    text: `SELECT id, name, description, price, version,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
            to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at
     FROM public.products WHERE id < $1 ORDER BY id DESC LIMIT $2`,
    values: [id, limit],
    ...WITHIN_A_REQUEST,
  })
  return rows
}
