import fc from 'fast-check'
import { createProduct } from '../../api.ts'
import { count, type SurfaceOptions, type SurfaceResult, type Target, until } from '../surface.ts'
import { type HostileRow, hostileRows } from './rows.ts'

const SENTINEL_EVERY = 20
/** A product made meanwhile is published within this: many times what it takes alone. */
const SENTINEL_MS = 15_000
/** An event that is still pending after this, and not behind a failed one, is stuck. */
const DRAIN_MS = 60_000

/**
 * Inserts rows into the outbox by SQL, past every check in TypeScript. PostgreSQL may refuse them; those that it takes
 * must end processed, failed with a reason, or dead, and neither other events nor the next request may notice.
 */
export async function fuzzWriters({ target, steps, seed, onProgress }: SurfaceOptions): Promise<SurfaceResult> {
  const result: SurfaceResult = { steps: 0, counts: {}, violations: [] }
  while (result.steps < steps && result.violations.length === 0) {
    const [row] = fc.sample(hostileRows, { numRuns: 1, seed: seed + result.steps })
    const step = async () => count(result.counts, await insert(target, row!))
    await step()
    result.steps++
    const slow = await target.pulse.fault(step)
    if (slow) result.violations.push(`after ${describeRow(row!)}: ${slow}`)
    if (result.steps % SENTINEL_EVERY > 0) continue
    if (!(await productIsPublished(target)))
      result.violations.push(`a product was not published within ${SENTINEL_MS} ms, after ${describeRow(row!)}`)
    await onProgress(result.steps)
  }
  if (!(await nothingIsStuck(target))) result.violations.push(`after ${DRAIN_MS} ms some events are still pending`)
  for (const { status, events } of await byStatus(target)) count(result.counts, status, events)
  return result
}

async function insert({ productsDb }: Target, row: HostileRow): Promise<string> {
  const inserted = await productsDb
    .query(
      `INSERT INTO public.events (event_id, key, type, payload, headers, status, attempts, next_attempt_at, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        row.event_id,
        row.key,
        row.type,
        row.payload,
        row.headers,
        row.status,
        row.attempts,
        row.next_attempt_at,
        row.created_at,
      ],
    )
    .catch(() => undefined)
  return inserted ? 'inserted' : 'refused by PostgreSQL'
}

async function productIsPublished({ products, productsDb }: Target): Promise<boolean> {
  const { id } = await createProduct(products.url, 'Sentinel tea')
  const look = async () => {
    const { rowCount } = await productsDb.query("SELECT FROM public.events WHERE key = $1 AND status = 'processed'", [
      id,
    ])
    return rowCount === 1 ? true : undefined
  }
  return (await until(look, SENTINEL_MS)) === true
}

async function nothingIsStuck({ productsDb }: Target): Promise<boolean> {
  const look = async () => {
    const { rows } = await productsDb.query<{ stuck: number }>(
      `SELECT count(*)::int AS stuck FROM public.events AS pending
       WHERE status = 'pending'
         AND NOT EXISTS (SELECT FROM public.events AS failed WHERE failed.status = 'failed' AND failed.key = pending.key)`,
    )
    return rows[0]?.stuck === 0 ? true : undefined
  }
  return (await until(look, DRAIN_MS)) === true
}

async function byStatus({ productsDb }: Target): Promise<{ status: string; events: number }[]> {
  const { rows } = await productsDb.query<{ status: string; events: number }>(
    'SELECT status, count(*)::int AS events FROM public.events GROUP BY status',
  )
  return rows
}

function describeRow(row: HostileRow): string {
  return `the row ${JSON.stringify(row).slice(0, 300)}`
}
