import type { OutageWatch } from '@product-events/outages'
import type pg from 'pg'

/** How stale the answer may be: another instance may have disabled an endpoint, or an operator enabled it, since. */
const FRESH_MS = 1_000
/** A slow answer is not waited for: deliveries and notifications use the last one. */
const PATIENCE_MS = 500

export interface DisabledEndpoints {
  /**
   * Their names, at most a second old while the table can be read; else those of the last read. Never rejects: a
   * delivery to an endpoint that is disabled costs less than notifications that wait for this table.
   */
  names(): Promise<ReadonlySet<string>>
  /** Remembers the endpoint as disabled. False when it was already. Rejects with the error of the database. */
  add(endpoint: string, reason: string): Promise<boolean>
}

export function disabledEndpoints(pool: pg.Pool, readable: OutageWatch): DisabledEndpoints {
  let latest: ReadonlySet<string> = new Set()
  let freshUntil = -Infinity
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    try {
      latest = await readNames(pool)
      readable.worked()
    } catch (error) {
      readable.failed((error as Error).message)
    }
    freshUntil = performance.now() + FRESH_MS
    reading = undefined
  }

  return {
    async names() {
      if (performance.now() < freshUntil) return latest
      reading ??= read()
      const { promise: enough, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, PATIENCE_MS)
      await Promise.race([reading, enough])
      clearTimeout(timer)
      return latest
    },
    async add(endpoint, reason) {
      const added = await insertName(pool, endpoint, reason)
      latest = new Set([...latest, endpoint])
      return added
    },
  }
}

async function readNames(pool: pg.Pool): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ endpoint: string }>('SELECT endpoint FROM public.disabled_endpoints')
  return new Set(rows.map(({ endpoint }) => endpoint))
}

async function insertName(pool: pg.Pool, endpoint: string, reason: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'INSERT INTO public.disabled_endpoints (endpoint, reason) VALUES ($1, $2) ON CONFLICT (endpoint) DO NOTHING',
    [endpoint, reason],
  )
  return rowCount === 1
}
