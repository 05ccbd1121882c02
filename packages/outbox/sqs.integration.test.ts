import { DeleteQueueCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { freshQueue } from '@product-events/local'
import { connectSqs, type Queue } from '@product-events/queue'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { type OutboxEvent } from './index.ts'
import { sendToSqs } from './sqs.ts'
import { sentEvent } from './testing/sent-event.ts'
import { receiveAll } from './testing/receive.ts'

let sqs: SQSClient
let queue: Queue
beforeAll(async () => {
  ;({ sqs, queue } = await freshQueue(inject('sqsEndpoint')))
})
afterAll(() => sqs.destroy())

let nextId = 1
const event = (payload: unknown, more: Partial<OutboxEvent> = {}) =>
  sentEvent(String(nextId++), { payload: JSON.stringify(payload), createdAt: new Date(), ...more })

test('the body is the payload, and type and headers are attributes; emoji and all', async () => {
  const payload = { name: 'Mug 🫖 \ufffe "ü"' }
  const sent = event(payload, { headers: { traceparent: '00-abc-def-01' } })
  const { outcomes, outage } = await sendToSqs({ sqs, queueUrl: queue.url })([sent])
  expect(outage).toBeUndefined()
  expect(outcomes.get(sent.id)).toEqual({ kind: 'accepted' })
  const [message] = await receiveAll({ sqs, url: queue.url }, 1)
  expect(JSON.parse(message!.Body!)).toEqual(payload)
  expect(message!.MessageAttributes).toMatchObject({
    type: { StringValue: 'test.happened' },
    traceparent: { StringValue: '00-abc-def-01' },
  })
})

test('ten events of a quarter MiB each go in several calls, each below the byte limit', async () => {
  const events = Array.from({ length: 10 }, (_, n) => event({ n, text: 'ü'.repeat(125_000) }))
  const { outcomes, outage } = await sendToSqs({ sqs, queueUrl: queue.url })(events)
  expect(outage).toBeUndefined()
  expect([...outcomes.values()]).toEqual(events.map(() => ({ kind: 'accepted' })))
  const received = await receiveAll({ sqs, url: queue.url }, 10)
  const numbers = received.map(({ Body }) => (JSON.parse(Body!) as { n: number }).n)
  expect(numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('an event that is too large on its own is unacceptable, and its neighbours are accepted', async () => {
  const attributes = 'type'.length + 'String'.length + 'test.happened'.length
  const fits = event('x'.repeat(1024 * 1024 - attributes - 2))
  const tooLarge = event('x'.repeat(1024 * 1024 - attributes - 1))
  const small = event('small')
  const { outcomes } = await sendToSqs({ sqs, queueUrl: queue.url })([fits, tooLarge, small])
  expect(outcomes.get(fits.id)).toEqual({ kind: 'accepted' })
  expect(outcomes.get(small.id)).toEqual({ kind: 'accepted' })
  expect(outcomes.get(tooLarge.id)).toMatchObject({ kind: 'unacceptable', reason: expect.stringContaining('1048577') })
})

test('what SQS says of one bad entry is kept to that entry, even where it fails the whole call', async () => {
  const bad = event('bad', { payload: 'a control character: \u0001' })
  const good = event('good')
  const { outcomes, outage } = await sendToSqs({ sqs, queueUrl: queue.url })([bad, good])
  expect(outage).toBeUndefined()
  expect(outcomes.get(good.id)).toEqual({ kind: 'accepted' })
  expect(outcomes.get(bad.id)).toMatchObject({
    kind: 'unacceptable',
    reason: expect.stringContaining('InvalidMessage'),
  })
})

test('an SQS that can not be reached, and a queue that is gone, are outages: no event is judged', async () => {
  const nobody = connectSqs({ endpoint: 'http://127.0.0.1:1', region: 'x', requestTimeoutMs: 1_000, maxConnections: 1 })
  const away = await sendToSqs({ sqs: nobody, queueUrl: queue.url })([event(1)])
  expect(away.outcomes.size).toBe(0)
  expect(away.outage).toContain('ECONNREFUSED')
  const gone = await sendToSqs({ sqs, queueUrl: `${queue.url}-gone` })([event(1)])
  expect(gone.outcomes.size).toBe(0)
  expect(gone.outage).toMatch(/QueueDoesNotExist|NonExistentQueue/)
})

test('on a FIFO queue the key is the group and the event id the deduplication id', async () => {
  const fifo = await freshQueue(inject('sqsEndpoint'), { fifo: true })
  const first = event(1, { key: 'product-1' })
  const send = sendToSqs({ sqs: fifo.sqs, queueUrl: fifo.queue.url })
  await send([first])
  await send([first])
  const received = await receiveAll({ sqs, url: fifo.queue.url }, 2)
  expect(received.map(({ Attributes }) => Attributes?.MessageGroupId)).toEqual(['product-1'])
  fifo.sqs.destroy()
})

test('without events it says whether the queue would take some', async () => {
  const own = await freshQueue(inject('sqsEndpoint'))
  const send = sendToSqs({ sqs: own.sqs, queueUrl: own.queue.url })
  expect((await send([])).outage).toBeUndefined()
  await own.sqs.send(new DeleteQueueCommand({ QueueUrl: own.queue.url }))
  expect((await send([])).outage).toMatch(/QueueDoesNotExist/)
  own.sqs.destroy()
})
