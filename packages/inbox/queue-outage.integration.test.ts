import type pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Handlers } from './index.ts'
import { createMemoryQueue } from './memory-queue.ts'
import { paid, type ShopEvents, testInbox, type TestInbox } from './testing/inbox.ts'

let t: TestInbox
beforeEach(async () => {
  t = await testInbox()
})
afterEach(() => t.close())

const patiently = { timeout: 50_000, interval: 20 }
const handlers: Handlers<ShopEvents, pg.PoolClient> = {
  'order.paid': ({ payload }, tx) => tx.query('INSERT INTO invoices VALUES ($1, $2)', [payload.order, payload.amount]),
}

/** A queue in memory; `answer` may answer a call instead of it. Counts calls by the name of their command. */
function watchedQueue(answer: (command: string, call: number, input: Input) => unknown) {
  const queue = createMemoryQueue()
  const calls: Record<string, number> = {}
  const refreshed = vi.fn(() => Promise.resolve({}))
  const sqs = {
    config: { credentials: refreshed },
    async send(command: never): Promise<unknown> {
      const { constructor, input } = command as { constructor: { name: string }; input: Input }
      const call = (calls[constructor.name] = (calls[constructor.name] ?? 0) + 1)
      return (await answer(constructor.name, call, input)) ?? queue.sqs.send(command)
    },
  }
  return { ...queue, sqs, calls, refreshed }
}

interface Input {
  Entries?: { Id: string }[]
}

const failing = (name: string) => Object.assign(new Error(`${name} it is`), { name })

test.each(['ThrottlingException', 'ExpiredTokenException', 'InternalError'])(
  'while SQS answers with %s it rests instead of asking in a loop, says so once, and resumes',
  async (name) => {
    let isFailing = true
    const queue = watchedQueue((command) => {
      if (isFailing && command === 'ReceiveMessageCommand') throw failing(name)
      return undefined
    })
    const running = t.consumer({ ...queue, handlers }).run(t.signal)
    queue.send(paid('a'))
    const from = performance.now()
    await vi.waitFor(() => expect(queue.calls.ReceiveMessageCommand).toBeGreaterThan(6), patiently)
    // Seven rests with full jitter: a loop without rest would need some milliseconds.
    expect(performance.now() - from).toBeGreaterThan(50)
    isFailing = false
    await vi.waitFor(async () => expect(await t.invoices()).toEqual(['a']), patiently)
    expect(t.reported('away')).toMatchObject([{ what: 'queue', reason: `${name} it is` }])
    expect(t.reported('back')).toHaveLength(1)
    expect(queue.refreshed.mock.calls.length > 0).toBe(name.startsWith('Expired'))
    t.stop()
    await running
  },
)

test('an entry that SQS could not delete just now is deleted by a further call; one that it refuses for good is reported', async () => {
  const queue = watchedQueue((command, call, { Entries = [] }) => {
    if (command !== 'DeleteMessageBatchCommand' || call > 1) return undefined
    const [first, ...others] = Entries.map(({ Id }) => ({ Id, Code: 'ServiceUnavailable', SenderFault: false }))
    return { Successful: [], Failed: [{ ...first, Code: 'ReceiptHandleIsInvalid', SenderFault: true }, ...others] }
  })
  const consumer = t.consumer({ ...queue, handlers })
  for (const order of ['a', 'b', 'c']) queue.send(paid(order))
  expect(await consumer.handleOnce()).toBe(3)
  expect(queue.calls.DeleteMessageBatchCommand).toBe(2)
  expect(queue.messages()).toHaveLength(1)
  expect(t.reported('not-deleted')).toMatchObject([{ entries: [{ reason: 'ReceiptHandleIsInvalid', retry: false }] }])
})

test('an entry that SQS does not mention in its answer was not deleted, and is deleted by a further call', async () => {
  const queue = watchedQueue((command, call) =>
    command === 'DeleteMessageBatchCommand' && call === 1 ? {} : undefined,
  )
  const consumer = t.consumer({ ...queue, handlers })
  for (const order of ['a', 'b']) queue.send(paid(order))
  expect(await consumer.handleOnce()).toBe(2)
  expect(queue.calls.DeleteMessageBatchCommand).toBe(2)
  expect(queue.messages()).toEqual([])
  expect(t.reported('not-deleted')).toEqual([])
})

test('receives that end at once without a message, as through a broken proxy, do not become a hot loop', async () => {
  const queue = watchedQueue((command) => (command === 'ReceiveMessageCommand' ? { Messages: [] } : undefined))
  const running = t.consumer({ ...queue, handlers }).run(t.signal)
  const from = performance.now()
  await vi.waitFor(() => expect(queue.calls.ReceiveMessageCommand).toBeGreaterThan(5), patiently)
  expect(performance.now() - from).toBeGreaterThan(250)
  t.stop()
  await running
})
