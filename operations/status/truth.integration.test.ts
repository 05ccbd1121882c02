import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { freePort } from '@product-events/local'
import { append } from '@product-events/outbox'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startCommand, variablesFor } from '../testing/commands.ts'
import { freshSources } from '../testing/databases.ts'
import { statusOf } from './status.ts'
import { readTruth } from './truth.ts'

let sources: Awaited<ReturnType<typeof freshSources>>
beforeAll(async () => {
  sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
})
afterAll(() => sources.close())

const problems = async () => statusOf([], [], await readTruth(sources)).problems
const HOSTILE = '\u001b[2J\u202E'

test('what fails now shows at once, with its reason, since when, and when the next try is; no process is asked', async () => {
  expect(await problems()).toEqual(['64 lanes without a relay: their events wait'])
  const event = (n: number) => ({ id: randomUUIDv7(), key: `k${n}`, type: 'x', payload: {} })
  await append(sources.products, [event(1), event(2)])
  await sources.products.query(
    `UPDATE events SET created_at = clock_timestamp() - interval '3 minutes', attempts = 2,
       status = CASE key WHEN 'k1' THEN 'failed' ELSE 'dead' END, last_error = 'refused: ' || key,
       next_attempt_at = clock_timestamp() + interval '30 seconds'`,
  )
  await sources.notifications.query(
    `INSERT INTO failed_messages (message_id, event_id, reason, failures, first_failed_at)
     VALUES ($1, $2, 'value too long', 2, clock_timestamp() - interval '50 seconds')`,
    [randomUUID(), randomUUIDv7()],
  )
  await sources.notifications.query(`INSERT INTO disabled_endpoints VALUES ('webhook:shop', 'HTTP 410')`)
  const { deadLetterUrl } = await sources.queues()
  await sources.sqs.send(new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody: 'x' }))
  expect(await problems()).toEqual([
    'events are held up: 1 event waits, the oldest for 3 min',
    '64 lanes without a relay: their events wait',
    expect.stringMatching(/^1 failed event: refused: k1 \(event 1, since 3 min\); the relay retries in (29|30) s$/),
    expect.stringMatching(
      /^1 dead event: refused: k2 \(event 2, since 3 min\); not retried .*: npm run outbox -- list$/,
    ),
    '1 message in the dead-letter queue: npm run inbox -- list',
    expect.stringMatching(
      /^1 message failing now: value too long \(2 times of 5, since 5\d s\); next try in (29|30) s: npm/,
    ),
    expect.stringContaining('endpoint webhook:shop is disabled: HTTP 410'),
  ])
})

test('a database or SQS that takes connections and says nothing is told within seconds', async () => {
  const open: Socket[] = []
  const frozen = createServer((socket) => void open.push(socket)).listen(0, '127.0.0.1')
  await once(frozen, 'listening')
  const { port } = frozen.address() as AddressInfo
  const env = {
    ...variablesFor(sources, `http://127.0.0.1:${port}`),
    PRODUCTS_DATABASE_URL: `postgres://postgres@127.0.0.1:${port}/products`,
    PRODUCT_SERVICE_OPERATIONS_URL: `http://127.0.0.1:${await freePort()}`,
    NOTIFICATION_SERVICE_OPERATIONS_URL: `http://127.0.0.1:${await freePort()}`,
  }
  const { code, stdout } = await startCommand('status', ['--json'], env).ended
  for (const socket of open) socket.destroy()
  frozen.close()
  expect(code).toBe(1)
  const status = JSON.parse(stdout) as { problems: string[]; steps: { health: string }[] }
  expect(status.problems).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^PostgreSQL of product-service does not answer: .* \(.+\)$/),
      expect.stringMatching(/^SQS does not answer: .* \(.+\)$/),
    ]),
  )
  expect(status.steps.map(({ health }) => health)).not.toContain('ok')
})

test('what a sender wrote can not play with the terminal', async () => {
  await sources.products.query(`UPDATE events SET last_error = $1`, [HOSTILE])
  const nobody = `http://127.0.0.1:${await freePort()}`
  const env = {
    ...variablesFor(sources, inject('sqsEndpoint')),
    PRODUCT_SERVICE_OPERATIONS_URL: nobody,
    NOTIFICATION_SERVICE_OPERATIONS_URL: nobody,
  }
  for (const args of [[], ['--json']]) {
    const { stdout } = await startCommand('status', args, env).ended
    expect(stdout).toContain('1 dead event')
    for (const control of HOSTILE)
      if (control !== '[' && control !== '2' && control !== 'J') expect(stdout).not.toContain(control)
  }
})
