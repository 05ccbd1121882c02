import { randomUUIDv7, type UUID } from 'node:crypto'
import { findQueueUrl } from '@product-events/queue'
import { afterEach, expect, test } from 'vitest'
import { noteFailures } from '../failed-messages.ts'
import { ascii, testEvent } from '../testing/consumer.ts'
import { depthOf, findQueues } from './queues.ts'
import { runCommand } from './run.ts'
import { dlqForTest, traceparent } from './testing/dlq.ts'

const opened: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close()
})

async function setUp(options?: { fifo: boolean }) {
  const dlq = await dlqForTest(options)
  opened.push(dlq.close)
  return dlq
}

interface Listed {
  messages: { message_id: string; event_id: string; product_id: string; sequence: string; reason: string }[]
}

const updates = (productId: UUID, sequences: number[]) =>
  sequences.map((sequence) => testEvent('product.updated', { productId, sequence }))

test('list tells what is there, why and how old, and disturbs nothing', async () => {
  const { bury, run, json, pool, left } = await setUp()
  const event = testEvent()
  const refused = await bury(event)
  const invalid = await bury('no JSON')
  const silent = await bury(testEvent())
  const failure = { message_id: refused, event_id: event.id, reason: 'the database refuses it: \u0000 too long' }
  await noteFailures(pool, [failure])
  await noteFailures(pool, [failure])

  const { messages } = await json<Listed>('list')
  const byId = new Map(messages.map((message) => [message.message_id, message]))
  expect(byId.get(refused)).toMatchObject({
    event_id: event.id,
    event_type: 'product.created',
    product_id: event.subject,
    sequence: '1',
    reason: 'the database refuses it:  too long',
    failures: 2,
  })
  expect(byId.get(invalid)).toMatchObject({ event_id: null, reason: expect.stringContaining('no event: not JSON') })
  expect(byId.get(silent)?.reason).toContain('nothing was noted')
  expect(await left()).toBe(3)
  const { text } = await run('list')
  expect(text).toMatch(/^MESSAGE +AGE +RECEIVES +TYPE +PRODUCT +SEQUENCE +REASON\n/)
  expect(text).toMatch(
    new RegExp(`${refused} +\\d s +\\d+ +product.created +${event.subject} +1 +the database refuses`),
  )
  expect(await left()).toBe(3)
})

test('status counts both queues; an empty dead-letter queue is called empty', async () => {
  const { bury, run } = await setUp()
  expect((await run('list')).text).toBe('The dead-letter queue is empty.')
  await bury(testEvent())
  expect((await run('status')).text).toMatch(/QUEUE +VISIBLE +IN FLIGHT +DELAYED\n\S+ +0 +0 +0\n\S+-dlq +1 +0 +0$/)
})

test('show finds a message by its own id and by that of its event, and prints nothing that moves the cursor', async () => {
  const { bury, run } = await setUp()
  const event = testEvent('product.created', { name: '\u001b[2JMug' })
  const id = await bury(event)
  for (const name of [id, event.id, event.id.toUpperCase()]) {
    const { done, text } = await run('show', name)
    expect(done).toBe(true)
    expect(text).toContain(`"subject": "${event.subject}"`)
    expect(text).not.toContain('\u001b')
  }
  expect(await run('show', 'nothing')).toMatchObject({ done: false, text: expect.stringContaining('Not in the dead') })
})

test('redrive sends by sequence for each product, as it was sent before, and deletes what is safely back', async () => {
  const { bury, json, onQueue, left } = await setUp()
  const products = [randomUUIDv7(), randomUUIDv7()]
  // Sequence 10 after 9: digits are no text.
  const events = products.flatMap((product) => updates(product, [10, 9, 2]))
  for (const event of events) await bury(event)
  await bury('poison')
  const { messages } = await json<Listed>('redrive', '--all')
  expect(messages).toHaveLength(7)
  for (const product of products)
    expect(messages.filter((m) => m.product_id === product).map((m) => m.sequence)).toEqual(['2', '9', '10'])
  expect(messages.at(-1)?.event_id).toBeNull()
  expect(await left()).toBe(0)
  const received = await onQueue()
  expect(received.map((message) => String(message.Body)).toSorted()).toEqual(
    [...events.map(ascii), 'poison'].toSorted(),
  )
  for (const { MessageAttributes } of received) {
    expect(MessageAttributes?.type?.StringValue).toBe('product.updated')
    expect(MessageAttributes?.traceparent?.StringValue).toBe(traceparent)
  }
})

test('redrive of some leaves the others, and says which it did not find', async () => {
  const { bury, run, onQueue, left } = await setUp()
  const [one, two, three] = [testEvent(), testEvent(), testEvent()]
  await bury(one)
  const id = await bury(two)
  await bury(three)
  const { done, text } = await run('redrive', one.id, id, 'nobody')
  expect(done).toBe(false)
  expect(text).toContain('2 sent')
  expect(text).toContain('at the moment: nobody')
  expect((await onQueue()).map((message) => String(message.Body)).toSorted()).toEqual([one, two].map(ascii).toSorted())
  expect(await left()).toBe(1)
})

test('a dry run tells what would be sent, and sends nothing', async () => {
  const { bury, run, onQueue, left } = await setUp()
  const event = testEvent()
  await bury(event)
  const { done, text } = await run('redrive', '--all', '--dry-run')
  expect(done).toBe(true)
  expect(text).toContain(event.subject)
  expect(text).toContain('1 would be sent')
  expect(await onQueue()).toEqual([])
  expect(await left()).toBe(1)
})

test('the rate is kept', async () => {
  const { bury, run } = await setUp()
  for (let n = 0; n < 11; n++) await bury(testEvent())
  const from = performance.now()
  await run('redrive', '--all', '--rate', '10')
  expect(performance.now() - from).toBeGreaterThan(1_000)
})

test('an interrupted redrive loses nothing and leaves nothing hidden', async () => {
  const { at, bury, json, onQueue } = await setUp()
  const events = Array.from({ length: 20 }, () => testEvent())
  for (const event of events) await bury(event)
  const say = (text: string) => expect(text).toContain('Interrupted')
  const stop = new AbortController()
  const command = { kind: 'redrive', json: false, which: 'all', dryRun: false, rate: 5 } as const
  const running = runCommand(command, { ...at, say, signal: stop.signal })
  // Messages are sent a fifth of a second apart: the first is there while the others wait.
  await expect
    .poll(async () => (await depthOf(at.queues.sqs, at.queues.queueUrl)).visible, { timeout: 10_000 })
    .toBeGreaterThan(0)
  stop.abort()
  expect(await running).toBe(false)
  const back = (await onQueue()).length
  expect(back).toBeLessThan(20)
  await expect
    .poll(async () => (await json<Listed>('list')).messages.length, { timeout: 15_000, interval: 1_500 })
    .toBe(20 - back)
})

test('what the queue does not take stays in the dead-letter queue', async () => {
  const { at, bury, left } = await setUp()
  for (let n = 0; n < 3; n++) await bury(testEvent())
  const queues = { ...at.queues, queueUrl: `${at.queues.queueUrl}-gone` }
  const command = { kind: 'redrive', json: false, which: 'all', dryRun: false, rate: 50 } as const
  await expect(runCommand(command, { ...at, queues })).rejects.toThrow(/not exist/)
  expect(await left()).toBe(3)
})

test('on a FIFO queue each product keeps its order, and what stands behind others is told of', async () => {
  const { bury, run, json, onQueue, left } = await setUp({ fifo: true })
  const products = [randomUUIDv7(), randomUUIDv7()] as const
  const events = products.flatMap((product) => updates(product, [1, 2, 3]))
  for (const event of events) await bury(event, event.subject)
  const { text } = await run('list')
  for (const product of products) expect(text).toContain(product)
  expect(await left()).toBe(6)

  const { messages } = await json<Listed>('redrive', '--all', '--rate', '1000')
  expect(messages).toHaveLength(6)
  expect(await left()).toBe(0)
  for (const product of products)
    expect(messages.filter((m) => m.product_id === product).map((m) => m.sequence)).toEqual(['1', '2', '3'])
  const received = await onQueue()
  // The emulator gives one message of a group until that is deleted.
  expect(received.map((message) => JSON.parse(message.Body ?? '') as { sequence: string })).toMatchObject([
    { sequence: '1' },
    { sequence: '1' },
  ])
})

test('purge needs a yes', async () => {
  const { bury, run, left } = await setUp()
  await bury(testEvent())
  expect(await run('purge')).toMatchObject({ done: false, text: expect.stringContaining('--yes') })
  expect(await left()).toBe(1)
  expect((await run('purge', '--yes')).done).toBe(true)
  expect(await left()).toBe(0)
})

test('a queue that is not there is told by its name, and none is made', async () => {
  const { at } = await setUp()
  const missing = { queueName: 'no-such-queue', queueUrl: undefined }
  await expect(findQueues(at.queues.sqs, missing)).rejects.toThrow('there is no queue no-such-queue')
  expect(await findQueueUrl(at.queues.sqs, 'no-such-queue')).toBeUndefined()
})
