import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, type LocalPostgres, startPostgres } from '@product-events/local'
import pg from 'pg'

/** A PostgreSQL as `initdb` leaves it, durable, on data of its own. */
export interface BenchServer {
  postgres: LocalPostgres
  /** In which it differs from that, for the results. */
  settings: Record<string, string>
  /** Makes an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>
  close(): Promise<void>
}

/** On a new folder below `dir`, or where the user that it runs as can get to. */
export async function startBenchServer(dir: string, more: Record<string, string> = {}): Promise<BenchServer> {
  const settings = { max_connections: '400', ...more }
  const port = await freePort()
  const postgres = await startPostgres({ dataDir: join(dir, `postgres-${port}`), port, settings })
  return {
    postgres,
    settings,
    async createDatabase(name) {
      await query(`${postgres.url}/postgres`, `CREATE DATABASE ${name}`)
      return `${postgres.url}/${name}`
    },
    async close() {
      await postgres.stop()
      await rm(postgres.dataDir, { recursive: true, force: true })
    },
  }
}

/** One statement on a connection of its own, however long it takes. */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}
