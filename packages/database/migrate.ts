import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { CONNECT_TIMEOUT_MS, connectionConfig } from './connect.ts'
import type { Credentials } from './credentials.ts'
import { createLockWatch } from './lock-holder.ts'
import { type Migration, type Migrations, pendingMigrations } from './pending.ts'
import { demandVersion } from './version.ts'

/**
 * Requests that queue behind a migration's lock wait no longer than this, and then take their turn before the next try.
 */
const LOCK_TIMEOUT = '2s'
const RETRY_AFTER_MS = 1_000
/**
 * The key that node-pg-migrate uses, so that versions of this project that used it exclude each other with this one.
 */
const LOCK_KEY = '7241865325823964'
/** SQLSTATE of a lock that was not granted within `lock_timeout`. */
const LOCK_NOT_AVAILABLE = '55P03'
/** First line of a file that PostgreSQL takes outside a transaction only. It must do nothing the second time. */
const OUTSIDE = /^-- Outside a transaction\n/

export interface MigrateOptions {
  databaseUrl: string
  credentials?: Credentials
  /** Applied in this order. */
  sets: readonly Migrations[]
  /** Another application and the table that remembers its migrations: it must not share a database with `ownTable`. */
  stranger?: { name: string; table: string; ownTable: string }
  /** Called after each try that another session's lock stopped, with what the migration waits for. */
  onWaiting?: (what: string, reason: string) => void
  signal?: AbortSignal
}

/**
 * Brings the database up to date and resolves with the names of the migrations that ran. When nothing is due it takes
 * no lock and needs no right but SELECT. Several processes may call it at once: they take turns, for each migration.
 *
 * Each file runs in a transaction of its own and waits at most two seconds for a lock; then it lets others pass and
 * tries again, until `signal` aborts. Rejects with the server's error, and nothing of that file remains; or, before
 * anything is changed, because the server is older than PostgreSQL 14 or the database belongs to another application.
 */
export async function migrateDatabase(options: MigrateOptions): Promise<string[]> {
  return withClient(options, async (client) => {
    const pending = await lookForMigrations(client, options)
    const applied: string[] = []
    for (const migration of pending) if (await applyWhenFree(client, migration, options)) applied.push(migration.name)
    return applied
  })
}

/** `migrateDatabase` for a database that has no other user yet. */
export function migrate(databaseUrl: string, ...sets: Migrations[]): Promise<string[]> {
  return migrateDatabase({ databaseUrl, sets })
}

/** The migrations that `migrateDatabase` would run. Changes nothing. Rejects as it does. */
export async function migrationsDue(options: MigrateOptions): Promise<Migration[]> {
  return withClient(options, (client) => lookForMigrations(client, options))
}

async function lookForMigrations(client: pg.Client, options: MigrateOptions): Promise<Migration[]> {
  await demandVersion(client)
  await demandOwnDatabase(client, options)
  return pendingMigrations(client, options.sets)
}

async function applyWhenFree(client: pg.Client, migration: Migration, options: MigrateOptions): Promise<boolean> {
  const { onWaiting = () => {}, signal } = options
  for (;;) {
    const watch = createLockWatch(client, options)
    try {
      return await apply(client, migration, options)
    } catch (error) {
      if ((error as pg.DatabaseError).code !== LOCK_NOT_AVAILABLE) throw error
      onWaiting(`a lock, to run the migration ${migration.name}`, await watch.holder())
    } finally {
      watch.stop()
    }
    await sleep(RETRY_AFTER_MS, undefined, signal ? { signal } : {})
  }
}

/** False when another process was faster. */
async function apply(client: pg.Client, migration: Migration, options: MigrateOptions): Promise<boolean> {
  const { name, table, sql } = migration
  if (OUTSIDE.test(sql)) await client.query(sql)
  try {
    await client.query(
      `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = '${LOCK_TIMEOUT}';
       SET LOCAL search_path = public; SELECT pg_advisory_xact_lock(${LOCK_KEY})`,
    )
    await demandOwnDatabase(client, options)
    await client.query(
      `CREATE TABLE IF NOT EXISTS public.${table}
         (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL)`,
    )
    const { rowCount } = await client.query(`SELECT FROM public.${table} WHERE name = $1`, [name])
    if (rowCount === 0) {
      if (!OUTSIDE.test(sql)) await client.query(sql)
      await client.query(`INSERT INTO public.${table} (name, run_on) VALUES ($1, now())`, [name])
    }
    await client.query('COMMIT')
    return rowCount === 0
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {}) // a broken connection has ended it
    throw error
  }
}

/** Rejects when the other application was here first. */
async function demandOwnDatabase(client: pg.Client, { stranger }: MigrateOptions): Promise<void> {
  if (stranger === undefined) return
  const theirs = await firstRun(client, stranger.table)
  const ours = await firstRun(client, stranger.ownTable)
  if (theirs === undefined || (ours !== undefined && ours <= theirs)) return
  throw new Error(
    `this database belongs to ${stranger.name} (it has the table public.${stranger.table}): ` +
      'give each service a database of its own',
  )
}

/** When the first migration that the table remembers ran, in seconds since 1970; undefined without such a table. */
async function firstRun(client: pg.Client, table: string): Promise<number | undefined> {
  const found = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
    `public.${table}`,
  ])
  if (!found.rows[0]?.found) return undefined
  const { rows } = await client.query<{ first: number | null }>(
    `SELECT extract(epoch FROM min(run_on))::float8 AS first FROM public.${table}`,
  )
  return rows[0]?.first ?? undefined
}

async function withClient<Result>(
  { databaseUrl, credentials }: MigrateOptions,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({
    ...connectionConfig(databaseUrl, credentials),
    application_name: 'migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  })
  client.on('error', () => {}) // the query under way rejects with the same error
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
