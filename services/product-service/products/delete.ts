import type { Product } from '@product-events/contracts'
import type pg from 'pg'
import { WITHIN_A_REQUEST } from '../limits.ts'
import { type Change, untilWon } from './change.ts'
import { type ProductRow, toProduct } from './row.ts'

export type Deletion =
  | { kind: 'missing' }
  /** Its ETag is not the one that the request asks for. */
  | { kind: 'refused'; product: Product }
  | { kind: 'deleted' }

/**
 * Deletes a product and writes the event about it, with the last state, by one statement. Of two deletions of the same
 * product the second waits for the first and finds nothing.
 */
export async function deleteProduct(db: pg.Pool, id: string, change: Change): Promise<Deletion> {
  const [row] = await untilWon(() => runDelete(db, id, change))
  if (!row) return { kind: 'missing' }
  return row.deleted ? { kind: 'deleted' } : { kind: 'refused', product: toProduct(row) }
}

type DeletedRow = ProductRow & { deleted: boolean }

async function runDelete(db: pg.Pool, id: string, change: Change): Promise<DeletedRow[]> {
  const { rows } = await db.query<DeletedRow>({
    text: `WITH before AS (
       SELECT id, name, description, price, version, created_at, updated_at,
              ($2::text[] IS NULL OR '"' || version || '"' = ANY ($2))
                AND NOT ($3::text[] IS NULL OR '"' || version || '"' = ANY ($3)) AS allowed
       FROM public.products WHERE id = $1 FOR UPDATE
     ), gone AS (
       DELETE FROM public.products AS product USING before
       WHERE product.id = before.id AND before.allowed
       RETURNING before.*
     ), appended AS (
       INSERT INTO public.events (event_id, key, type, payload, headers)
       SELECT $4::uuid, id::text, 'product.deleted', jsonb_build_object(
             'specversion', '1.0', 'id', $4::uuid, 'source', $5::text, 'type', 'product.deleted', 'subject', id,
             'time', to_char($6::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'datacontenttype', 'application/json', 'sequence', (version + 1)::text,
             'data', jsonb_build_object(
               'id', id, 'name', name, 'description', description, 'price', trim_scale(price), 'version', version,
               'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
               'updated_at', to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))), $7::jsonb
       FROM gone
     )
     SELECT before.id, before.name, before.description, before.price, before.version,
            to_char(before.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
            to_char(before.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at,
            EXISTS (SELECT FROM gone) AS deleted
     FROM before`,
    values: [
      id,
      change.match,
      change.noneMatch,
      change.eventId,
      change.source,
      new Date().toISOString(),
      change.headers,
    ],
    ...WITHIN_A_REQUEST,
  })
  return rows
}
