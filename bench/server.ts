import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, type LocalPostgres, startPostgres } from 'local'
import pg from 'pg'

/** A PostgreSQL as `initdb` leaves it, durable, on data of its own. */
export interface BenchServer {
  postgres: LocalPostgres
  /** Makes an empty database and returns its URL. */
  createDatabase(name: string): Promise<string>
  close(): Promise<void>
}

export async function startBenchServer(): Promise<BenchServer> {
  const dir = await mkdtemp('/tmp/product-events-bench-')
  const settings = { max_connections: '400' }
  const postgres = await startPostgres({ dataDir: join(dir, 'postgres'), port: await freePort(), settings })
  return {
    postgres,
    async createDatabase(name) {
      await query(`${postgres.url}/postgres`, `CREATE DATABASE ${name}`)
      return `${postgres.url}/${name}`
    },
    async close() {
      await postgres.stop()
      await rm(dir, { recursive: true, force: true })
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
