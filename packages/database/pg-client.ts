import type { Client, ClientConfig } from 'pg'

/** A person waits, or the start of a process does. */
const CONNECT_TIMEOUT_MS = 5_000

interface PgClientOptions {
  url: string
  /** How to connect, where the URL alone does not say it. */
  config?: ClientConfig | undefined
  name: string
  queryTimeoutMs?: number
}

/**
 * Runs `work` on a connection of its own, without session settings, so that the URL may lead to a transaction pooler.
 * `pg` is an optional peer: it is loaded here, and the error says so where it is missing.
 */
export async function withPgClient<Result>(
  { url, config = { connectionString: url }, name, queryTimeoutMs }: PgClientOptions,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { default: pg } = await import('pg').catch((error: unknown) => {
    const { code } = error as { code?: string }
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error
    throw new Error('The package pg is not installed: npm install pg', { cause: error })
  })
  const client = new pg.Client({
    ...config,
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...(queryTimeoutMs !== undefined && { query_timeout: queryTimeoutMs }),
  })
  client.on('error', () => {}) // the query under way rejects with the same error
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end()
  }
}
