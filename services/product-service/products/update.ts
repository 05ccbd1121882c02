import type { Product } from '@product-events/contracts'
import type pg from 'pg'
import { WITHIN_A_REQUEST } from '../limits.ts'
import { type Change, untilWon } from './change.ts'
import { type ProductRow, toProduct } from './row.ts'
import type { ProductPatch } from './schemas.ts'

export type Update =
  | { kind: 'missing' }
  /** Its ETag is not the one that the request asks for. */
  | { kind: 'refused'; product: Product }
  /** It was like this already: no new version, and no event. */
  | { kind: 'unchanged'; product: Product }
  | { kind: 'updated'; product: Product }

/**
 * Changes a product by a JSON merge patch (RFC 7396) and writes the event about it, by one statement: one round trip,
 * one commit. The row is locked first, so of two changes at once the second sees the first one's result; the event's
 * place in the outbox is drawn after that, so events of a product are in the order of its versions.
 */
export async function updateProduct(db: pg.Pool, id: string, patch: ProductPatch, change: Change): Promise<Update> {
  const rows = await untilWon(() => runUpdate(db, id, patch, change))
  const [row] = rows
  if (!row) return { kind: 'missing' }
  return { kind: row.outcome, product: toProduct(row) }
}

type UpdatedRow = ProductRow & { outcome: 'refused' | 'unchanged' | 'updated' }

async function runUpdate(db: pg.Pool, id: string, patch: ProductPatch, change: Change): Promise<UpdatedRow[]> {
  const { name, description, price } = patch
  // null resets the description, and a product without one has an empty one.
  const text = description === undefined ? null : (description ?? '')
  const { rows } = await db.query<UpdatedRow>({
    text: `WITH before AS (
       SELECT id, name, description, price, version, created_at, updated_at,
              ($2::text[] IS NULL OR '"' || version || '"' = ANY ($2))
                AND NOT ($3::text[] IS NULL OR '"' || version || '"' = ANY ($3)) AS allowed
       FROM public.products WHERE id = $1 FOR UPDATE
     ), wanted AS (
       SELECT id, coalesce($4, name) AS name, coalesce($5, description) AS description,
              coalesce($6::numeric, price)::numeric(12, 2) AS price, version + 1 AS version,
              greatest(updated_at, $7::timestamptz(3)) AS updated_at
       FROM before
       WHERE allowed AND (coalesce($4, name), coalesce($5, description), coalesce($6::numeric, price))
                         IS DISTINCT FROM (name, description, price)
     ), after AS (
       UPDATE public.products AS product
       SET name = wanted.name, description = wanted.description, price = wanted.price,
           version = wanted.version, updated_at = wanted.updated_at
       FROM wanted WHERE product.id = wanted.id
       RETURNING product.*
     ), appended AS (
       INSERT INTO public.events (event_id, key, type, payload, headers)
       SELECT $8::uuid, id::text, 'product.updated', jsonb_build_object(
             'specversion', '1.0', 'id', $8::uuid, 'source', $9::text, 'type', 'product.updated', 'subject', id,
             'time', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'datacontenttype', 'application/json', 'sequence', (version)::text,
             'data', jsonb_build_object(
               'id', id, 'name', name, 'description', description, 'price', trim_scale(price), 'version', version,
               'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'updated_at', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))), $10::jsonb
       FROM after
     )
     SELECT product.id, product.name, product.description, product.price, product.version,
            to_char(product.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
            to_char(product.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at,
            CASE WHEN product.is_after THEN 'updated' WHEN product.allowed THEN 'unchanged' ELSE 'refused' END AS outcome
     FROM (
       SELECT *, true AS allowed, true AS is_after FROM after
       UNION ALL
       SELECT *, false FROM before WHERE NOT EXISTS (SELECT FROM after)
     ) AS product`,
    values: [
      id,
      change.match,
      change.noneMatch,
      name ?? null,
      text,
      price ?? null,
      new Date().toISOString(),
      change.eventId,
      change.source,
      change.headers,
    ],
    ...WITHIN_A_REQUEST,
  })
  return rows
}
