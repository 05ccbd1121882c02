import { randomUUID } from 'node:crypto'
import {
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs'
import { connect } from '@product-events/database'
import { dropDatabase, freshDatabase, freshQueue } from '@product-events/local'
import { deadLetterQueueName, findQueueUrl } from '@product-events/queue'
import type pg from 'pg'
import { inject } from 'vitest'
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

export interface TestOptions {
  fifo?: boolean
  visibilityTimeoutSeconds?: number
  schema?: string
  consumer?: string
}

/** An inbox on a database and a queue of its own, with a table for the effects of handlers. */
export async function testInbox({
  fifo = false,
  schema = 'inbox',
  consumer = 'billing',
  ...options
}: TestOptions = {}) {
  const [databaseUrl, { sqs, queue }] = await Promise.all([
    freshDatabase(inject('postgresUrl')),
    freshQueue(inject('sqsEndpoint'), { fifo }),
  ])
  const { visibilityTimeoutSeconds } = options
  if (visibilityTimeoutSeconds !== undefined) {
    const Attributes = { VisibilityTimeout: String(visibilityTimeoutSeconds) }
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }))
  }
  const deadLetterUrl = (await findQueueUrl(sqs, deadLetterQueueName(queue.name))) ?? ''
  const pool = connect({ databaseUrl, applicationName: 'test', maxConnections: 10, onIdleError: () => {} })
  const inbox = createInbox<ShopEvents>({ schema, consumer })
  const client = await pool.connect()
  await inbox.migrate(client)
  client.release()
  await pool.query('CREATE TABLE invoices (order_id text PRIMARY KEY, amount numeric NOT NULL CHECK (amount > 0))')
  const stop = new AbortController()
  const reports: InboxReport[] = []

  return {
    inbox,
    pool,
    sqs,
    queue,
    deadLetterUrl,
    databaseUrl,
    reports,
    signal: stop.signal,
    stop: () => stop.abort(),
    reported: (kind: InboxReport['kind']) => reports.filter((report) => report.kind === kind),

    /** A consumer of the queue with these handlers. */
    consumer: (options: Pick<Options, 'handlers'> & Partial<Options>) =>
      inbox.createConsumer<pg.PoolClient>({
        db: pool,
        sqs,
        queueUrl: queue.url,
        parse: parseCloudEvent,
        report: (report) => void reports.push(report),
        ...options,
      }),

    /** Sends one message a body, ten a call. */
    async send(bodies: readonly unknown[], group = 'one'): Promise<void> {
      for (let start = 0; start < bodies.length; start += 10) {
        const Entries = bodies.slice(start, start + 10).map((body, index) => ({
          Id: String(index),
          MessageBody: typeof body === 'string' ? body : ascii(body),
          ...(fifo && { MessageGroupId: group, MessageDeduplicationId: randomUUID() }),
        }))
        const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
        if (Failed.length > 0) throw new Error(`SQS refused ${JSON.stringify(Failed)}`)
      }
    },

    /** Messages that are visible, and those that some receiver has and did not delete. */
    async depth(): Promise<{ visible: number; hidden: number }> {
      const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: [...AttributeNames] }),
      )
      return { visible: Number(Attributes?.[AttributeNames[0]]), hidden: Number(Attributes?.[AttributeNames[1]]) }
    },

    /** Counts how often messages are hidden again, from now on. */
    extensions(): () => number {
      let sent = 0
      sqs.middlewareStack.add(
        (next, { commandName }) =>
          (args) => {
            if (commandName === 'ChangeMessageVisibilityBatchCommand') sent += 1
            return next(args)
          },
        { name: 'counting extensions', step: 'initialize' },
      )
      return () => sent
    },

    async deadLetters(): Promise<Message[]> {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 }),
      )
      return Messages
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

/** JSON in ASCII only: the embedded SQS refuses characters beyond U+FFFF. */
export function ascii(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
