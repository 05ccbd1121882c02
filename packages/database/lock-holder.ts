import pg from 'pg'
import { CONNECT_TIMEOUT_MS, connectionConfig } from './connect.ts'
import type { Credentials } from './credentials.ts'

/** By then a migration that must wait is waiting, and has not given up yet. */
const LOOK_AFTER_MS = 1_000

export interface LockWatch {
  /** The sessions that held the lock, for people. */
  holder(): Promise<string>
  stop(): void
}

/** Looks from a second connection who blocks the session of `client`, once it has been busy for a second. */
export function createLockWatch(
  client: pg.Client,
  database: { databaseUrl: string; credentials?: Credentials },
): LockWatch {
  const { promise: looked, resolve } = Promise.withResolvers<string>()
  const { processID } = client as unknown as { processID: number }
  const timer = setTimeout(() => {
    lookForHolders(database, processID).then(resolve, (error: Error) => resolve(`unknown (${error.message})`))
  }, LOOK_AFTER_MS)
  return { holder: () => looked, stop: () => clearTimeout(timer) }
}

async function lookForHolders(
  { databaseUrl, credentials }: { databaseUrl: string; credentials?: Credentials },
  processID: number,
): Promise<string> {
  const client = new pg.Client({
    ...connectionConfig(databaseUrl, credentials),
    application_name: 'migrate: who holds the lock',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    // Behind a pooler our session has another process id than the pooler told: then it is the one that waits.
    const { rows } = await client.query<{ holder: string }>(
      `SELECT DISTINCT format('%s (pid %s, %s%s, for %s s)', coalesce(nullif(holder.application_name, ''), holder.usename),
                holder.pid, coalesce(holder.state, 'unknown state'), coalesce(' from ' || host(holder.client_addr), ''),
                coalesce(extract(epoch FROM clock_timestamp() - holder.xact_start)::int, 0)) AS holder
       FROM pg_stat_activity AS waiting
         CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS blocking (pid)
         JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
       WHERE waiting.pid = $1 OR (waiting.application_name = 'migrate' AND waiting.datname = current_database())`,
      [processID],
    )
    return rows.length === 0 ? 'unknown' : `held by ${rows.map(({ holder }) => holder).join(', ')}`
  } finally {
    await client.end()
  }
}
