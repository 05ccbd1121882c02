import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { freePort, freshDatabase, freshQueue, machineVariables } from '../local/index.ts'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import { compile, installExamples } from './testing/installed.ts'
import { startProgram } from './testing/program.ts'

const shops: Record<string, string> = {
  'shop-drizzle': 'main.ts',
  'shop-knex': 'main.js',
  'shop-express': 'main.js',
  fastify: 'main.js',
  nestjs: 'dist/main.js',
}

let folder: string
beforeAll(async () => {
  folder = await installExamples([...Object.keys(shops), 'lambda', 'stock-service'])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The transaction of one order does everything it does, and then does not commit. */
const FAILS_AT_COMMIT = `
  CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'fails at commit'; END $$;
  CREATE CONSTRAINT TRIGGER fails AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.id = 'fails at commit') EXECUTE FUNCTION fail();`

async function withClient<Result>(databaseUrl: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

test.each(Object.entries(shops))('%s publishes the orders that it stored, and no other', async (name, file) => {
  const program = join(folder, name)
  if (name === 'shop-drizzle' || name === 'nestjs') await compile(program)
  const [databaseUrl, { sqs, queue }, port] = await Promise.all([
    freshDatabase(inject('postgresUrl')),
    freshQueue(inject('sqsEndpoint')),
    freePort(),
  ])
  const shop = await startProgram(program, file, {
    DATABASE_URL: databaseUrl,
    SQS_QUEUE_URL: queue.url,
    AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
    PORT: String(port),
  })
  try {
    await withClient(databaseUrl, (client) => client.query(FAILS_AT_COMMIT))
    const place = async (id: string) => {
      const body = JSON.stringify({ id, amount: 12 })
      const headers = { 'content-type': 'application/json' }
      const { status } = await fetch(`http://127.0.0.1:${port}/orders`, { method: 'POST', headers, body })
      return status
    }
    const statuses = []
    for (const id of ['order-1', 'order-1', 'fails at commit', 'order-2']) statuses.push(await place(id))
    expect(statuses).toEqual([201, 409, 409, 201])
    const bodies: string[] = []
    while (bodies.length < 2) {
      const receive = new ReceiveMessageCommand({ QueueUrl: queue.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 })
      const { Messages = [] } = await sqs.send(receive)
      bodies.push(...Messages.map(({ Body = '' }) => Body))
      if (Messages.length === 0) break
    }
    const orders = bodies.map((body) => JSON.parse(body) as { id: string }).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    expect(orders).toEqual(['order-1', 'order-2'].map((id) => ({ id, amount: 12 })))
    const events = await withClient(databaseUrl, (client) => client.query('SELECT key FROM outbox.events ORDER BY id'))
    expect(events.rows).toEqual([{ key: 'order-1' }, { key: 'order-2' }])
    expect(await shop.stop()).toBe(0)
  } finally {
    shop.kill()
    sqs.destroy()
  }
})

test('the Lambda handler handles its test event once, and returns the message that is no event', async () => {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const env = { ...machineVariables(), DATABASE_URL: databaseUrl }
  const node = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: join(folder, 'lambda'), env })
  await node('../node_modules/@product-events/inbox/dist/bin.js', 'migrate')
  await withClient(databaseUrl, (client) => client.query('CREATE TABLE invoices (order_id text, amount integer)'))
  const invoke = `
    import { readFileSync } from 'node:fs'
    import { handler } from './handler.js'
    console.log(JSON.stringify(await handler(JSON.parse(readFileSync('event.json', 'utf8')))))
    process.exit(0)`
  const { Records } = JSON.parse(await readFile(join(folder, 'lambda/event.json'), 'utf8')) as {
    Records: { messageId: string }[]
  }
  for (let invocation = 0; invocation < 2; invocation++) {
    const { stdout } = await node('--input-type=module', '--eval', invoke)
    expect(JSON.parse(stdout)).toEqual({ batchItemFailures: [{ itemIdentifier: Records[1]?.messageId }] })
  }
  const { rows } = await withClient(databaseUrl, (client) => client.query('SELECT order_id, amount FROM invoices'))
  expect(rows).toEqual([{ order_id: 'order-7', amount: 12 }])
})

test('stock-service keeps its stock by the events that it receives', async () => {
  const [databaseUrl, { sqs, queue }] = await Promise.all([
    freshDatabase(inject('postgresUrl')),
    freshQueue(inject('sqsEndpoint')),
  ])
  const service = await startProgram(join(folder, 'stock-service'), 'main.ts', {
    DATABASE_URL: databaseUrl,
    SQS_QUEUE_URL: queue.url,
    AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
  })
  try {
    const data = { id: randomUUID(), name: 'Tea' }
    const event = {
      specversion: '1.0',
      id: randomUUID(),
      source: '/shop',
      type: 'product.created',
      subject: data.id,
      data,
    }
    const Entries = ['1', '2'].map((Id) => ({ Id, MessageBody: JSON.stringify(event) }))
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
    await withClient(databaseUrl, async (client) => {
      const stock = async () => (await client.query('SELECT product_id AS id, name FROM stock')).rows
      await vi.waitFor(async () => expect(await stock()).toEqual([data]), { timeout: 60_000, interval: 50 })
    })
    expect(await service.stop()).toBe(0)
  } finally {
    service.kill()
    sqs.destroy()
  }
})

test.each(['nestjs/outbox.module.ts', 'fastify/outbox-plugin.js'])('%s has at most 60 lines', async (file) => {
  const source = await readFile(join(folder, file), 'utf8')
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(60)
})
