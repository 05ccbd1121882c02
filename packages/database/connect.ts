import type pg from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'
import { type Credentials, passwordOf } from './credentials.ts'
import { cancelAbandonedStatements, cutOff, RotatingPool } from './pool.ts'

/**
 * A statement fails when its answer takes longer. A frozen server must become an error (503, retry) well before the ten
 * seconds that a shutdown may take.
 */
const QUERY_TIMEOUT_MS = 5_000
/** For a free connection of the pool, and for the handshake of a new one. */
export const CONNECT_TIMEOUT_MS = 3_000
/** Several statements may follow each other in a stop: a frozen server would delay it by five seconds with each. */
const CUT_OFF_AFTER_MS = 6_000

export interface ConnectOptions {
  /** `postgres://user:password@host:port/database?sslmode=…` */
  databaseUrl: string
  /** Default: the password of the URL. */
  credentials?: Credentials
  /** Shown in `pg_stat_activity`. */
  applicationName: string
  /** Most connections held at once. */
  maxConnections: number
  /** Milliseconds for a statement and for a connection; default 5 s and 3 s. */
  timeoutMs?: number
  /** When it aborts, all statements together have six more seconds; then they fail. */
  stopping?: AbortSignal
  /** Called when an idle connection breaks (the server restarted, for example). The pool replaces it. */
  onIdleError: (error: Error) => void
}

/**
 * A pool that connects on first use: it never throws here, and recovers when the server is back. It sends no settings
 * when it connects, since poolers refuse them; a statement that takes too long is cancelled from here.
 */
export function connect(options: ConnectOptions): pg.Pool {
  const { databaseUrl, credentials, applicationName, maxConnections, timeoutMs, stopping, onIdleError } = options
  const pool = new RotatingPool({
    ...connectionConfig(databaseUrl, credentials),
    application_name: applicationName,
    max: maxConnections,
    connectionTimeoutMillis: timeoutMs ?? CONNECT_TIMEOUT_MS,
    query_timeout: timeoutMs ?? QUERY_TIMEOUT_MS,
    keepAlive: true,
  })
  pool.on('error', onIdleError)
  // A connection may break in the moment in which it is handed over; its next query rejects.
  pool.on('connect', (client) => client.on('error', () => {}))
  cancelAbandonedStatements(pool)
  stopping?.addEventListener('abort', () => void setTimeout(() => cutOff(pool), CUT_OFF_AFTER_MS).unref())
  return pool
}

/** How `pg` connects to that database with these credentials. */
export function connectionConfig(databaseUrl: string, credentials: Credentials = { kind: 'url' }): pg.ClientConfig {
  const password = passwordOf(databaseUrl, credentials)
  if (password === undefined) return { connectionString: databaseUrl }
  // Beside a connection string `pg` ignores a password.
  return { ...parseIntoClientConfig(databaseUrl), password }
}

/** A server that answers closes its connections within milliseconds. */
const DISCONNECT_TIMEOUT_MS = 500

/**
 * Closes the pool's connections, which a frozen server would never confirm: resolves after half a second at the latest,
 * and connections that are still open end with the process.
 */
export async function disconnect(pool: pg.Pool): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, DISCONNECT_TIMEOUT_MS)
  await Promise.race([pool.ending || pool.end(), timeout])
  clearTimeout(timer)
}
