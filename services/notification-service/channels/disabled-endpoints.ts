import type pg from 'pg'

/** How stale the answer may be: another instance may have disabled an endpoint, or a person enabled it, since. */
const FRESH_MS = 1_000

export interface DisabledEndpoints {
  /** Their names, at most a second old. Rejects when the database is away. */
  names(): Promise<ReadonlySet<string>>
  /** Remembers the endpoint as disabled. False when it was already. */
  add(endpoint: string, reason: string): Promise<boolean>
}

export function disabledEndpoints(pool: pg.Pool): DisabledEndpoints {
  let latest: Promise<ReadonlySet<string>> | undefined
  let readAt = 0

  return {
    names() {
      if (latest === undefined || performance.now() - readAt > FRESH_MS) {
        readAt = performance.now()
        const reading = readNames(pool)
        latest = reading
        // A failure is told to those who wait for it; the next to ask tries again.
        reading.catch(() => {
          if (latest === reading) latest = undefined
        })
      }
      return latest
    },
    async add(endpoint, reason) {
      const added = await insertName(pool, endpoint, reason)
      latest = undefined
      return added
    },
  }
}

async function readNames(pool: pg.Pool): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ endpoint: string }>('SELECT endpoint FROM disabled_endpoints')
  return new Set(rows.map(({ endpoint }) => endpoint))
}

async function insertName(pool: pg.Pool, endpoint: string, reason: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'INSERT INTO disabled_endpoints (endpoint, reason) VALUES ($1, $2) ON CONFLICT (endpoint) DO NOTHING',
    [endpoint, reason],
  )
  return rowCount === 1
}
