import pg from 'pg'

/** A query waits this long for its answer, and a connection for its handshake, before it counts as failed. A frozen
 * server must become an error (503, retry) well before the ten seconds that a shutdown may take. */
const QUERY_TIMEOUT_MS = 5_000
export const CONNECT_TIMEOUT_MS = 3_000
/** The server gives up a little before the client does, so that no statement runs on after its caller was told no. */
const STATEMENT_TIMEOUT_MS = QUERY_TIMEOUT_MS - 500
/** A transaction whose client was frozen or cut off must not hold its row locks for ever. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000

export interface ConnectOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  databaseUrl: string
  /** Shown in `pg_stat_activity`. */
  applicationName: string
  /** Most connections held at once. */
  maxConnections: number
  /** Called when an idle connection breaks (the server restarted, say). The pool replaces it by itself. */
  onIdleError: (error: Error) => void
}

/** A pool that connects on first use: it never throws here, and recovers by itself when the server comes back. */
export function connect({ databaseUrl, applicationName, maxConnections, onIdleError }: ConnectOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: applicationName,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
  })
  pool.on('error', onIdleError)
  return pool
}

/** A server that answers closes its connections within milliseconds. */
const DISCONNECT_TIMEOUT_MS = 500

/**
 * Closes the pool's connections, which a frozen server would never confirm: resolves after half a second at the latest,
 * and what is then still open ends with the process.
 */
export async function disconnect(pool: pg.Pool): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, DISCONNECT_TIMEOUT_MS)
  await Promise.race([pool.end(), timeout])
  clearTimeout(timer)
}

/**
 * The URL of the database to use on the server that `databaseUrl` names: its own if it names one, else `fallback`.
 * So one DATABASE_URL without a database name serves both services, each in its own database.
 */
export function withDatabaseName(databaseUrl: string, fallback: string): string {
  const url = new URL(databaseUrl)
  if (url.pathname === '' || url.pathname === '/') url.pathname = `/${fallback}`
  return url.href
}

/** `postgres://host:port/database`: what may be shown of a connection string. */
export function describeDatabase(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  return `postgres://${url.host}${url.pathname}`
}
