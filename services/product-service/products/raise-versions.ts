import { type Product, productEvent } from '@product-events/contracts'
import { transaction } from '@product-events/database'
import type pg from 'pg'
import { outbox } from '../outbox.ts'
import { toNewEvent } from './new-event.ts'
import { type ProductRow, toProduct } from './row.ts'

/** Products changed by one transaction: their rows are locked for some tens of milliseconds. */
const PAGE = 500

/**
 * Raises the version of every product by `by` and publishes each as `product.updated`. After a restore to an earlier
 * state the versions are lower than those that were published before it, and a consumer that guards by `sequence` would
 * drop new events. The events also bring consumers back to the state that the database has now. Returns how many
 * products it raised.
 */
export async function raiseVersions(
  pool: pg.Pool,
  by: number,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (raised: number) => void },
): Promise<number> {
  let raised = 0
  let after = '00000000-0000-0000-0000-000000000000'
  while (!signal.aborted) {
    const page = await transaction(pool, (tx) => raisePage(tx, by, after))
    raised += page.length
    onProgress(raised)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) break
    after = last.id
  }
  return raised
}

async function raisePage(tx: pg.ClientBase, by: number, after: string): Promise<Product[]> {
  const { rows } = await tx.query<ProductRow>(
    `WITH page AS (
       SELECT id FROM public.products WHERE id > $1 ORDER BY id LIMIT $3 FOR UPDATE
     ), raised AS (
       UPDATE public.products AS product
       SET version = version + $2, updated_at = greatest(updated_at, clock_timestamp()::timestamptz(3))
       FROM page WHERE product.id = page.id
       RETURNING product.*
     )
     SELECT id, name, description, price, version,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
            to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS updated_at
     FROM raised
     ORDER BY id`,
    [after, by, PAGE],
  )
  const products = rows.map(toProduct)
  const events = products.map((product) =>
    productEvent('product.updated', product, { sequence: product.version, time: product.updated_at }),
  )
  await outbox.append(
    tx,
    events.map((event) => toNewEvent(event, undefined)),
  )
  return products
}
