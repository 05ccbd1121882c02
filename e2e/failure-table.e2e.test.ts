import { rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { deadLetterQueueName, findQueueUrl } from '@product-events/queue'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { allNotifications, createProduct, deleteProduct } from './api.ts'
import { type FailureStack, startFailureStack } from './failure-stack.ts'
import { canMount } from './faults/small-disk.ts'
import { ALL_WELL, npmRunStatus } from './npm-run-status.ts'

// Each test is a row of the table "what happens | what the user sees", along the whole path. "Process killed at any
// point" is e2e/crash/crash.e2e.test.ts, and "overload" e2e/overload.e2e.test.ts.

/** After a fault of some seconds a backoff may be a few more. */
const RECOVERS = { timeout: 40_000, interval: 100 }
/** Room for the outbox's tables, and little more. */
const SMALL_DISK = '12m'

let stack: FailureStack
beforeAll(async () => {
  stack = await startFailureStack(inject('sqsEndpoint'))
})
afterAll(() => stack.stop())

const post = () =>
  fetch(`${stack.products.url}/products`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Tea', price: 1 }),
  })
const create = (count: number, name = 'Tea') =>
  Promise.all(Array.from({ length: count }, () => createProduct(stack.products.url, name)))

/** The notifications about these products, as `created` and `deleted` in the order of their sequence. */
async function notified(ids: string[]): Promise<string[]> {
  const all = await allNotifications(stack.notifications.url)
  return all
    .filter(({ product_id }) => ids.includes(product_id))
    .toSorted((a, b) => a.product_id.localeCompare(b.product_id) || Number(a.sequence) - Number(b.sequence))
    .map(({ event_type }) => event_type.replace('product.', ''))
}

/** The events of these products by status, and whether any used an attempt. A notification may precede `processed`. */
async function outbox(ids: string[]): Promise<Record<string, number>> {
  const { rows } = await stack.pool.query<{ state: string; count: number }>(
    `SELECT status || CASE WHEN attempts > 0 THEN ' after refusals' ELSE '' END AS state, count(*)::int AS count
     FROM events WHERE key = ANY ($1) GROUP BY state`,
    [ids],
  )
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

const logged = (text: string) => stack.products.log.filter(({ msg }) => String(msg).includes(text)).length
const ids = (items: { id: string }[]) => items.map(({ id }) => id)
const created = (count: number) => Array.from({ length: count }, () => 'created')

test('PostgreSQL restarts: 503 for a moment; both services recover by themselves', async () => {
  stack.postgres().process.kill('SIGKILL')
  await expect.poll(async () => (await post()).status, RECOVERS).toBe(503)
  expect((await post()).headers.get('retry-after')).toBe('2')
  // An answer is shared for a second.
  const health = async () => (await fetch(`${stack.products.metricsUrl}/health/ready`)).json()
  await expect.poll(health, RECOVERS).toMatchObject({ missing: { database: expect.any(String) } })
  await stack.startPostgres()
  await expect.poll(async () => (await post()).status, RECOVERS).toBe(201)
  const made = ids(await create(5))
  await expect.poll(() => notified(made), RECOVERS).toEqual(created(5))
})

test('SQS away for hours: the API keeps working; events wait; none becomes dead; delivery resumes', async () => {
  const outages = logged('SQS takes no events')
  stack.network.become({ kind: 'cut' })
  const made = ids(await create(25))
  await expect.poll(() => logged('SQS takes no events')).toBe(outages + 1)
  await stack.pool.query(`UPDATE events SET created_at = created_at - interval '7 hours' WHERE key = ANY ($1)`, [made])
  const more = ids(await create(5))
  expect(await outbox([...made, ...more])).toEqual({ pending: 30 })
  const held = /3 relay .* WRONG[^]*30 events\s+wait, the\s+oldest\s+for\s+7\s+h/
  await expect.poll(() => npmRunStatus(stack), RECOVERS).toEqual({ code: 1, screen: expect.stringMatching(held) })
  stack.network.become({ kind: 'pass' })
  await expect.poll(() => notified([...made, ...more]), RECOVERS).toEqual(created(30))
  await expect.poll(() => npmRunStatus(stack), RECOVERS).toEqual({ code: 0, screen: expect.stringMatching(ALL_WELL) })
  await expect.poll(() => outbox([...made, ...more]), RECOVERS).toEqual({ processed: 30 })
  expect(logged('SQS takes no events')).toBe(outages + 1)
})

test('SQS refuses one entry of a batch: the other nine are processed; that one is retried, then dead with its reason', async () => {
  stack.front.become({ refuses: (body) => body.includes('Unwanted') && body.includes('product.created') })
  const [unwanted] = ids(await create(1, 'Unwanted'))
  const wanted = ids(await create(9))
  await deleteProduct(stack.products.url, unwanted!)
  await expect.poll(() => notified(wanted), RECOVERS).toEqual(created(9))
  await expect.poll(() => outbox([unwanted!]), RECOVERS).toEqual({ 'failed after refusals': 1, pending: 1 })

  // Nine refusals and their waits lie behind it: one try is left.
  await stack.pool.query(
    `UPDATE events SET attempts = 9, next_attempt_at = clock_timestamp() WHERE key = $1 AND status = 'failed'`,
    [unwanted],
  )
  await expect.poll(() => outbox([unwanted!]), RECOVERS).toEqual({ 'dead after refusals': 1, processed: 1 })
  const { rows } = await stack.pool.query(`SELECT last_error FROM events WHERE key = $1 AND status = 'dead'`, [
    unwanted,
  ])
  expect(rows).toEqual([{ last_error: 'RefusedByTest: this entry is refused' }])
  await expect.poll(() => notified([unwanted!]), RECOVERS).toEqual(['deleted'])
  stack.front.become({})
})

test('SQS throttles: the relay slows down; nothing is lost', async () => {
  let throttled = 0
  stack.front.become({ call: () => (throttled++ < 6 ? 'throttle' : undefined) })
  const made = ids(await create(40))
  await expect.poll(() => notified(made), RECOVERS).toEqual(created(40))
  expect(throttled).toBeGreaterThan(6)
  await expect.poll(() => outbox(made), RECOVERS).toEqual({ processed: 40 })
  stack.front.become({})
})

test('poison message: dead-letter queue after 5 receives; others unaffected', async () => {
  await stack.hideFor(0)
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.queueUrl, MessageBody: 'no event at all' }))
  const deadLetters = await findQueueUrl(stack.sqs, deadLetterQueueName(stack.queueName))
  await expect
    .poll(async () => {
      const command = new ReceiveMessageCommand({ QueueUrl: deadLetters, VisibilityTimeout: 0 })
      return (await stack.sqs.send(command)).Messages?.map(({ Body }) => Body)
    }, RECOVERS)
    .toEqual(['no event at all'])
  await stack.hideFor()
  const refusals = stack.notifications.log.filter(({ msg }) => String(msg).startsWith('message is no event'))
  expect(refusals.map(({ receive_count }) => Number(receive_count)).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5])
  const made = ids(await create(5))
  await expect.poll(() => notified(made), RECOVERS).toEqual(created(5))
})

test('two or more relays, one frozen and thawed: order per product holds at the queue; no duplicates at the notification', async () => {
  const relay = await stack.startRelay()
  const lanesOf = async () => {
    const { rows } = await stack.pool.query<{ lanes: number }>(
      'SELECT count(*)::int AS lanes FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay ORDER BY lanes',
    )
    return rows.map(({ lanes }) => lanes)
  }
  await expect.poll(lanesOf, RECOVERS).toEqual([32, 32])

  stack.accepted.length = 0
  stack.network.become({ kind: 'blackhole' }) // both have events on their way when one of them freezes
  const made = ids(await create(60))
  relay.process.kill('SIGSTOP')
  await Promise.all(made.map((id) => deleteProduct(stack.products.url, id)))
  stack.network.become({ kind: 'pass' })
  await expect.poll(lanesOf, RECOVERS).toEqual([64])
  relay.process.kill('SIGCONT')
  await expect.poll(lanesOf, RECOVERS).toEqual([32, 32])

  await expect.poll(() => outbox(made), RECOVERS).toEqual({ processed: 120 })
  await expect.poll(() => notified(made), RECOVERS).toEqual(made.flatMap(() => ['created', 'deleted']))
  const events = stack.accepted.map((body) => JSON.parse(body) as { subject: string; sequence: string })
  const first = [...new Set(events.map(({ subject, sequence }) => `${subject} ${sequence}`))]
  for (const id of made) expect(first.filter((event) => event.startsWith(id))).toEqual([`${id} 1`, `${id} 2`])
  await relay.stop()
  expect(relay.process.exitCode).toBe(0)
})

test('SIGTERM: requests and batches under way finish within 10 s, and what is left is there for the next', async () => {
  const answers: Promise<number | 'no answer'>[] = Array.from({ length: 30 }, () =>
    post().then(
      ({ status }) => status,
      () => 'no answer',
    ),
  )
  await Promise.race(answers)
  const start = performance.now()
  await Promise.all([stack.products.stop(), stack.notifications.stop()])
  expect(performance.now() - start).toBeLessThan(10_000)
  for (const { log } of [stack.products, stack.notifications]) expect(log.at(-1)?.msg).toBe('stopped')
  const made = (await Promise.all(answers)).filter((status) => status === 201).length
  expect(made).toBeGreaterThan(0)
  await Promise.all([stack.products.start(), stack.notifications.start()])
  await expect
    .poll(async () => {
      const { rows } = await stack.pool.query(`SELECT FROM events WHERE status <> 'processed' AND status <> 'dead'`)
      return rows.length
    }, RECOVERS)
    .toBe(0)
  const { rows } = await stack.pool.query<{ event_id: string }>(
    `SELECT event_id FROM events WHERE status = 'processed'`,
  )
  await expect
    .poll(async () => {
      const told = new Set((await allNotifications(stack.notifications.url)).map(({ event_id }) => event_id))
      return rows.filter(({ event_id }) => !told.has(event_id))
    }, RECOVERS)
    .toEqual([])
})

test('read-only database: 503, a clear log line, no half-written fact', async () => {
  const name = new URL(stack.products.databaseUrl).pathname.slice(1)
  const readOnly = async (on: boolean) => {
    await stack.pool.query(`BEGIN READ WRITE; ALTER DATABASE ${name} SET default_transaction_read_only = ${on}; COMMIT`)
    await stack.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()`,
      [name],
    )
  }
  onTestFinished(() => readOnly(false))
  await readOnly(true)
  await expectNoHalfFacts('read-only')
  await readOnly(false)
  await expect.poll(async () => (await post()).status, RECOVERS).toBe(201)
})

test.runIf(canMount)('disk full: 503, a clear log line, no half-written fact', async () => {
  const tables = await stack.mountDisk(SMALL_DISK)
  await stack.pool.query(`CREATE TABLESPACE small LOCATION '${tables}'`)
  await stack.pool.query('ALTER TABLE events SET TABLESPACE small')
  expect((await post()).status).toBe(201)

  const rest = `${dirname(tables)}/rest`
  await writeFile(rest, Buffer.alloc(64 * 1024 * 1024)).catch(() => {})
  await expectNoHalfFacts('No space left on device')
  await rm(rest)
  await expect.poll(async () => (await post()).status, RECOVERS).toBe(201)
})

/** Writes until the log says why it is refused: the answers (503) must not, and refused writes left no trace. */
async function expectNoHalfFacts(reason: string): Promise<void> {
  const facts = async () => {
    const { rows } = await stack.pool.query<{ products: number; events: number }>(
      `SELECT (SELECT count(*)::int FROM products) AS products,
              (SELECT count(*)::int FROM events WHERE type = 'product.created')
              - (SELECT count(*)::int FROM events WHERE type = 'product.deleted') AS events`,
    )
    return rows[0]
  }
  const before = await facts()
  let made = 0
  // The first 503 may be about a connection that was cut on the way here: the one with the reason counts.
  await expect
    .poll(async () => {
      const answer = await post()
      if (answer.status === 201) made++
      else expect(answer.status).toBe(503)
      expect(await answer.text()).not.toContain(reason)
      return stack.products.log.map(({ msg, reason }) => `${String(msg)}: ${String(reason)}`)
    }, RECOVERS)
    .toContainEqual(expect.stringMatching(`^the database .*${reason}`))
  expect(await facts()).toEqual({ products: before!.products + made, events: before!.events + made })
}
