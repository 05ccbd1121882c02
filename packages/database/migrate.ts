import { runner } from 'node-pg-migrate'
import pg from 'pg'
import { CONNECT_TIMEOUT_MS } from './connect.ts'
import { demandVersion } from './version.ts'

/** Plain `.sql` files, run once each in the order of their names, remembered in a table of their own. */
export interface Migrations {
  /** The folder with the files. */
  dir: string
  /** The table that remembers which have run: one per folder, so that `outbox` and a service number theirs alone. */
  table: string
}

/**
 * Brings the database up to date. Several processes may call this at once: an advisory lock makes them take turns.
 * Each file runs in a transaction. Rejects with the server's error, and then nothing of that file remains; or, before
 * anything is changed, because the server is older than PostgreSQL 14.
 */
export async function migrate(databaseUrl: string, ...sets: Migrations[]): Promise<string[]> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  client.on('error', () => {}) // the query under way rejects with the same error
  await client.connect()
  try {
    await demandVersion(client)
    const applied: string[] = []
    for (const { dir, table } of sets) {
      const ran = await runner({
        dbClient: client,
        dir,
        migrationsTable: table,
        direction: 'up',
        advisoryLockMode: 'wait',
        log: () => {},
      })
      applied.push(...ran.map((migration) => migration.name))
    }
    return applied
  } catch (error) {
    // The runner puts some errors into words of its own. A connection that broke says so itself, as this rejects.
    await client.query('SELECT 1')
    throw error
  } finally {
    await client.end()
  }
}
