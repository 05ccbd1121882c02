import { randomUUID } from 'node:crypto'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { inject } from 'vitest'
import { testQueue, type TestQueueOptions } from '../../queue/testing/test-queue.ts'
import { createInbox, type HandlingOptions, type InboxReport, parseCloudEvent, type SqsClient } from '../index.ts'

type Options = HandlingOptions<ShopEvents, pg.PoolClient> & {
  receivers?: number | undefined
  sqs?: SqsClient
  queueUrl?: string
}

/** What the shop of the tests tells. */
export interface ShopEvents {
  'order.paid': { order: string; amount: number }
  'order.cancelled': { order: string }
}

export type TestInbox = Awaited<ReturnType<typeof testInbox>>

export interface TestOptions extends TestQueueOptions {
  schema?: string
  consumer?: string
}

/** An inbox on a database and a queue of its own, with a table for the effects of handlers. */
export async function testInbox({ schema = 'inbox', consumer = 'billing', ...options }: TestOptions = {}) {
  const [databaseUrl, messages] = await Promise.all([
    freshDatabase(inject('postgresUrl')),
    testQueue(inject('sqsEndpoint'), options),
  ])
  const { sqs, queue } = messages
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 10, onIdleError: () => {} })
  const inbox = createInbox<ShopEvents>({ schema, consumer })
  const client = await pool.connect()
  await inbox.migrate(client)
  client.release()
  await pool.query('CREATE TABLE invoices (order_id text PRIMARY KEY, amount numeric NOT NULL CHECK (amount > 0))')
  const stop = new AbortController()
  const reports: InboxReport[] = []
  const running: Promise<void>[] = []
  const createConsumer = (options: Pick<Options, 'handlers'> & Partial<Options>) =>
    inbox.createConsumer<pg.PoolClient>({
      db: pool,
      sqs,
      queueUrl: queue.url,
      parse: parseCloudEvent,
      report: (report) => void reports.push(report),
      ...options,
    })

  return {
    ...messages,
    inbox,
    pool,
    databaseUrl,
    reports,
    signal: stop.signal,
    stop: () => stop.abort(),
    reported: (kind: InboxReport['kind']) => reports.filter((report) => report.kind === kind),

    /** A consumer of the queue with these handlers. */
    consumer: createConsumer,

    /** Runs a consumer of the queue with these handlers until `close`. */
    run(options: Parameters<typeof createConsumer>[0]) {
      const consumer = createConsumer(options)
      running.push(consumer.run(stop.signal))
      return consumer
    },

    async invoices(): Promise<string[]> {
      const { rows } = await pool.query<{ order_id: string }>('SELECT order_id FROM invoices ORDER BY order_id')
      return rows.map((row) => row.order_id)
    },

    async recorded(): Promise<number> {
      const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM inbox.handled_events')
      return Number(rows[0]?.count)
    },

    async close(): Promise<void> {
      stop.abort()
      await Promise.all(running)
      sqs.destroy()
      await pool.end()
      await dropDatabase(databaseUrl)
    },
  }
}

interface Facts {
  amount?: number
  sequence?: string
  id?: string
}

/** A CloudEvent of the shop. */
export function paid(order: string, { amount = 5, sequence = '1', id = randomUUID() }: Facts = {}) {
  return {
    specversion: '1.0',
    id,
    source: '/shop',
    type: 'order.paid',
    subject: order,
    sequence,
    data: { order, amount },
  }
}

export function cancelled(order: string, { sequence = '2', id = randomUUID() }: Facts = {}) {
  return { specversion: '1.0', id, source: '/shop', type: 'order.cancelled', subject: order, sequence, data: { order } }
}
