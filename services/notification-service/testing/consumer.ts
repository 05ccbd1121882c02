import { randomBytes, randomUUIDv7 } from 'node:crypto'
import {
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs'
import { type ProductEvent, type ProductEventType, productEvent } from '@product-events/contracts'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase, freshQueue } from '@product-events/local'
import { outboxMigrations } from '@product-events/outbox'
import { createRegistry } from '@product-events/telemetry'
import { deadLetterQueueName, findQueueUrl } from '@product-events/queue'
import type pg from 'pg'
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
export async function testConsumer({ postgresUrl, sqsEndpoint, fifo = false, ...options }: TestOptions) {
  const [databaseUrl, { sqs, queue }] = await Promise.all([
    freshDatabase(postgresUrl, outboxMigrations, notificationMigrations),
    freshQueue(sqsEndpoint, { fifo }),
  ])
  if (options.visibilityTimeoutSeconds !== undefined) {
    const Attributes = { VisibilityTimeout: String(options.visibilityTimeoutSeconds) }
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }))
  }
  const deadLetterUrl = (await findQueueUrl(sqs, deadLetterQueueName(queue.name))) ?? ''
  const { logger, logs } = recordLog('debug')
  const log = logLines(logger)
  const stop = new AbortController()
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 10, onIdleError: () => {} })
  const registry = createRegistry()
  const metrics = createMetrics(registry)
  const { outgoing } = options
  const limited = options.limited ? await limitedRole(pool, databaseUrl) : undefined
  const consumer = createConsumer({ pool: limited?.pool ?? pool, outgoing, sqs, queueUrl: queue.url, log, metrics })

  /** Messages that are visible, and those that somebody has received and not deleted. */
  async function depth(): Promise<{ visible: number; hidden: number }> {
    const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: [...AttributeNames] }),
    )
    return { visible: Number(Attributes?.[AttributeNames[0]]), hidden: Number(Attributes?.[AttributeNames[1]]) }
  }

  return {
    consumer,
    sqs,
    queueUrl: queue.url,
    pool,
    databaseUrl,
    queueName: queue.name,
    metrics,
    /** The role of a limited consumer. */
    role: limited?.role ?? '',
    run: () => consumer.run(stop.signal),
    stop: () => stop.abort(),
    /** Lines with this text, oldest first. */
    logged: (text: string) => logs.filter((line) => String(line.msg).startsWith(text)),

    /** Sends one message a body, ten a call. */
    async send(bodies: readonly unknown[], group = 'one', traceparent?: string): Promise<void> {
      for (let start = 0; start < bodies.length; start += 10) {
        const Entries = bodies.slice(start, start + 10).map((body, index) => ({
          Id: String(index),
          MessageBody: typeof body === 'string' ? body : ascii(body),
          ...(fifo && { MessageGroupId: group, MessageDeduplicationId: randomUUIDv7() }),
          ...(traceparent && {
            MessageAttributes: { traceparent: { DataType: 'String', StringValue: traceparent } },
          }),
        }))
        const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
        if (Failed.length > 0) throw new Error(`SQS refused ${JSON.stringify(Failed)}`)
      }
    },

    depth,

    /** One poll and all that follows from it. */
    async handleOnce(): Promise<void> {
      await consumer.handleOnce(stop.signal)
    },

    /** Receives until `condition` holds. The embedded SQS gives a receive what is there, in any order: all takes several. */
    async handleUntil(condition: () => Promise<boolean>): Promise<void> {
      while (!(await condition())) await this.handleOnce()
    },
    async queueIsEmpty(): Promise<boolean> {
      const { visible, hidden } = await depth()
      return visible + hidden === 0
    },

    /** How many messages somebody could receive now. It hides them for a minute. */
    async receivable(): Promise<number> {
      for (let count = 0; ;) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: queue.url,
            MaxNumberOfMessages: 10,
            WaitTimeSeconds: 2,
            VisibilityTimeout: 60,
          }),
        )
        if (Messages.length === 0) return count
        count += Messages.length
      }
    },

    async deadLetters(): Promise<Message[]> {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      )
      return Messages
    },

    /** Every notification there is, in the order of their positions. */
    async notifications(): Promise<Record<string, unknown>[]> {
      const { rows } = await pool.query<Record<string, unknown>>('SELECT * FROM notifications ORDER BY position')
      return rows
    },

    async metric(name: string): Promise<string[]> {
      const text = await registry.metrics()
      return text.split('\n').filter((line) => line.startsWith(name))
    },

    close: async (): Promise<void> => {
      stop.abort()
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

/** JSON in ASCII only: the embedded SQS refuses characters beyond U+FFFF. */
export function ascii(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
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
