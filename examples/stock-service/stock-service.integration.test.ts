import { spawn } from 'node:child_process'
import { randomUUIDv7 } from 'node:crypto'
import { once } from 'node:events'
import { SendMessageBatchCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { type Product, productEvent, type ProductEventType } from '@product-events/contracts'
import { dropDatabase, freshDatabase, freshQueue, localCredentials, machineVariables } from '@product-events/local'
import pg from 'pg'
import { afterEach, expect, inject, test, vi } from 'vitest'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

const patiently = { timeout: 60_000, interval: 50 }

async function setUp() {
  const databaseUrl = await freshDatabase(inject('postgresUrl'))
  const { sqs, queue } = await freshQueue(inject('sqsEndpoint'))
  // What a killed process had in hand is there again after two seconds.
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { VisibilityTimeout: '2' } }))
  const pool = new pg.Pool({ connectionString: databaseUrl })
  // Dropping the database terminates connections that are still closing.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  opened.push(() => dropDatabase(databaseUrl))
  opened.push(() => pool.end())
  opened.push(() => Promise.resolve(sqs.destroy()))

  async function send(bodies: unknown[]): Promise<void> {
    for (let start = 0; start < bodies.length; start += 10) {
      const part = bodies.slice(start, start + 10)
      const Entries = part.map((body, index) => ({ Id: String(index), MessageBody: JSON.stringify(body) }))
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }))
    }
  }

  function start() {
    const child = spawn(process.execPath, [`${import.meta.dirname}/main.ts`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...machineVariables(),
        ...localCredentials,
        DATABASE_URL: databaseUrl,
        SQS_QUEUE_URL: queue.url,
        AWS_ENDPOINT_URL_SQS: inject('sqsEndpoint'),
      },
    })
    const ready = once(child.stdout, 'data')
    const exit = once(child, 'exit')
    opened.push(async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exit
    })
    return { child, ready, exit }
  }

  async function stock(): Promise<Record<string, string>> {
    const { rows } = await pool.query<{ product_id: string; name: string }>('SELECT product_id, name FROM stock')
    return Object.fromEntries(rows.map((row) => [row.product_id, row.name]))
  }
  return { send, start, stock, pool }
}

/** What product-service publishes about one product: created, changed, and deleted if it is the third. */
function lifeOf(n: number) {
  const id = randomUUIDv7()
  const time = new Date().toISOString()
  const event = (type: ProductEventType, sequence: number, name: string) => {
    const product: Product = {
      id,
      name,
      description: '',
      price: 1,
      version: sequence,
      created_at: time,
      updated_at: time,
    }
    return productEvent(type, product, { sequence, time })
  }
  const events = [event('product.created', 1, `Tea ${n}`), event('product.updated', 2, `Tea ${n}, better`)]
  if (n % 3 === 0) events.push(event('product.deleted', 3, `Tea ${n}, better`))
  return { id, events, name: n % 3 === 0 ? undefined : `Tea ${n}, better` }
}

test('stock follows the products, in any order, with duplicates, a poison message and two kills; SIGTERM ends it with 0', async () => {
  const { send, start, stock, pool } = await setUp()
  const lives = Array.from({ length: 60 }, (_, n) => lifeOf(n))
  const events = lives.flatMap((life) => life.events)
  const messages = [...events, ...events.slice(0, 40), 'poison'].map((body, n) => ({ body, at: (n * 7919) % 997 }))
  await send(messages.toSorted((one, other) => one.at - other.at).map(({ body }) => body))

  for (const least of [1, 20]) {
    const { child, exit } = start()
    await vi.waitFor(async () => {
      const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM inbox.handled_events')
      expect(Number(rows[0]?.count)).toBeGreaterThanOrEqual(least)
    }, patiently)
    child.kill('SIGKILL')
    await exit
  }
  const { child, ready, exit } = start()
  const expected = Object.fromEntries(lives.flatMap(({ id, name }) => (name === undefined ? [] : [[id, name]])))
  await vi.waitFor(async () => expect(await stock()).toEqual(expected), patiently)
  await vi.waitFor(async () => {
    const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM inbox.handled_events')
    expect(Number(rows[0]?.count)).toBe(events.length)
  }, patiently)
  expect(await stock()).toEqual(expected)
  // The process before may have done everything: this one may still be loading.
  await ready
  child.kill('SIGTERM')
  expect(await exit).toEqual([0, null])
}, 150_000)

test('without its variables it ends with 1 and names what is missing', async () => {
  const child = spawn(process.execPath, [`${import.meta.dirname}/main.ts`], { env: { ...machineVariables() } })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(stderr).toContain('DATABASE_URL is missing')
})
