import { randomBytes, randomUUIDv7 } from 'node:crypto'
import { type ProductEvent, type ProductEventType, productEvent } from '@product-events/contracts'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import { outboxMigrations } from '@product-events/outbox'
import { createRegistry } from '@product-events/telemetry'
import type pg from 'pg'
import { testQueue } from '../../../packages/queue/testing/test-queue.ts'
import { recordLog } from '../../../packages/telemetry/testing/log.ts'
import type { Outgoing } from '../channels/store-with-deliveries.ts'
import { createConsumer } from '../consumer.ts'
import { logLines } from '../log-lines.ts'
import { createMetrics } from '../metrics.ts'
import { notificationMigrations } from '../migrations.ts'

export interface TestOptions {
  postgresUrl: string
  sqsEndpoint: string
  fifo?: boolean
  visibilityTimeoutSeconds?: number
  outgoing?: Outgoing
  /** The consumer acts as a role that has only the rights that it needs; `t.pool` remains that of the superuser. */
  limited?: boolean
}

/** A consumer on a database and a queue of its own, with what a test wants to know of it. */
export async function testConsumer({
  postgresUrl,
  sqsEndpoint,
  outgoing,
  limited: isLimited,
  ...options
}: TestOptions) {
  const [databaseUrl, { sqs, queue, ...messages }] = await Promise.all([
    freshDatabase(postgresUrl, outboxMigrations, notificationMigrations),
    testQueue(sqsEndpoint, options),
  ])
  const { logger, logs } = recordLog('debug')
  const log = logLines(logger)
  const stop = new AbortController()
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 10, onIdleError: () => {} })
  const registry = createRegistry()
  const metrics = createMetrics(registry)
  let running: Promise<void> | undefined
  const limited = isLimited ? await limitedRole(pool, databaseUrl) : undefined
  const consumer = createConsumer({ pool: limited?.pool ?? pool, outgoing, sqs, queueUrl: queue.url, log, metrics })

  return {
    ...messages,
    consumer,
    sqs,
    queueUrl: queue.url,
    pool,
    databaseUrl,
    queueName: queue.name,
    metrics,
    /** The role of a limited consumer. */
    role: limited?.role ?? '',
    run: () => (running = consumer.run(stop.signal)),
    stop: () => stop.abort(),
    /** Lines with this text, oldest first. */
    logged: (text: string) => logs.filter((line) => String(line.msg).startsWith(text)),

    /** One poll and all that follows from it. */
    async handleOnce(): Promise<void> {
      await consumer.handleOnce(stop.signal)
    },

    /**
     * Receives until `condition` holds. The embedded SQS gives a receive what is there, in any order: all takes
     * several.
     */
    async handleUntil(condition: () => Promise<boolean>): Promise<void> {
      while (!(await condition())) await this.handleOnce()
    },

    /** Every notification there is, in the order of their positions. */
    notifications: async () =>
      (await pool.query<Record<string, unknown>>('SELECT * FROM notifications ORDER BY position')).rows,

    metric: async (name: string): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => line.startsWith(name)),

    close: async (): Promise<void> => {
      stop.abort()
      await running
      sqs.destroy()
      await limited?.close()
      await pool.end()
      await dropDatabase(databaseUrl)
    },
  }
}

/** An event about a product of its own, or about `productId`. */
export function testEvent(
  type: ProductEventType = 'product.created',
  { name = 'Mug', productId = randomUUIDv7(), sequence = 1 } = {},
): ProductEvent {
  const time = new Date().toISOString()
  const product = { id: productId, name, description: '', price: 12.5, version: sequence, created_at: time }
  return productEvent(type, { ...product, updated_at: time }, { sequence, time })
}

async function limitedRole(admin: pg.Pool, databaseUrl: string) {
  const role = `test_${randomBytes(6).toString('hex')}`
  await admin.query(`CREATE ROLE ${role}`)
  await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`)
  const url = new URL(databaseUrl)
  url.searchParams.set('options', `-c role=${role}`)
  const pool = connect({ databaseUrl: url.href, applicationName: 'test', maxConnections: 5, onIdleError: () => {} })
  return {
    role,
    pool,
    async close(): Promise<void> {
      await pool.end()
      await admin.query(`DROP OWNED BY ${role}`)
      await admin.query(`DROP ROLE ${role}`)
    },
  }
}
