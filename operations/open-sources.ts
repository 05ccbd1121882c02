import { connectionConfig } from '@product-events/database'
import { connectSqs } from '@product-events/queue'
import pg from 'pg'
import type { DatabasesConfig } from './config.ts'
import { findQueues, type Queues } from '@product-events/inbox/command'

export interface SourcesOptions {
  /** Shown in `pg_stat_activity`. */
  name: string
  databases: DatabasesConfig
  queue: { queueName: string; queueUrl: string | undefined; awsRegion: string; sqsEndpoint: string | undefined }
  /** The longest that a query or a call of SQS may take. */
  timeoutMs: number
}

/** Both databases and SQS, for a command that looks. Opens nothing before it is asked; `opened` closes it. */
export function openSources(
  opened: AsyncDisposableStack,
  { name, databases: { urls, credentials }, queue, timeoutMs }: SourcesOptions,
): { products: pg.Pool; notifications: pg.Pool; queues: () => Promise<Queues> } {
  const open = (databaseUrl: string) => {
    const pool = new pg.Pool({
      ...connectionConfig(databaseUrl, credentials),
      application_name: name,
      max: 3,
      connectionTimeoutMillis: Math.min(timeoutMs, CONNECT_TIMEOUT_MS),
      query_timeout: timeoutMs,
    })
    pool.on('error', () => {}) // the query under way rejects with the same error
    return pool
  }
  const sqs = connectSqs({
    endpoint: queue.sqsEndpoint,
    region: queue.awsRegion,
    requestTimeoutMs: Math.min(timeoutMs, SQS_TIMEOUT_MS),
    maxConnections: 4,
  })
  opened.defer(() => sqs.destroy())
  const [products, notifications] = [open(urls['product-service']), open(urls['notification-service'])]
  // What a frozen server never confirms ends with the process.
  opened.defer(
    () => Promise.race([Promise.all([products.end(), notifications.end()]), closed(CLOSE_MS)]) as Promise<void>,
  )
  let found: Promise<Queues> | undefined
  return {
    products,
    notifications,
    queues() {
      found ??= findQueues(sqs, queue)
      found.catch(() => (found = undefined))
      return found
    },
  }
}

/** A person waits. */
const CONNECT_TIMEOUT_MS = 5_000
const SQS_TIMEOUT_MS = 5_000
const CLOSE_MS = 500

function closed(afterMs: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, afterMs).unref())
}
