import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { randomUUIDv7 } from 'node:crypto'
import { freePort, freshQueue } from '@product-events/local'
import { type OutboxEvent } from '@product-events/outbox'
import { sendToSqs } from '@product-events/outbox/sqs'
import { connectSqs, type Queue } from '@product-events/queue'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { type SqsFront, startSqsFront } from './sqs-front.ts'

let real: { sqs: SQSClient; queue: Queue }
let front: SqsFront
let sqs: SQSClient
let accepted: string[]
let faults: string[]

beforeEach(async () => {
  real = await freshQueue(inject('sqsEndpoint'))
  accepted = []
  faults = []
  front = await startSqsFront({
    port: await freePort(),
    endpoint: inject('sqsEndpoint'),
    onAccepted: (body) => accepted.push(body),
    onFault: (fault) => faults.push(fault),
  })
  sqs = connectSqs({ endpoint: front.endpoint, region: 'us-east-1', requestTimeoutMs: 5_000, maxConnections: 5 })
})
afterEach(async () => {
  sqs.destroy()
  real.sqs.destroy()
  await front.close()
})

const events = (count: number): OutboxEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    id: String(n),
    eventId: randomUUIDv7(),
    key: `key-${n}`,
    lane: 0,
    type: 'test.happened',
    payload: String(n),
    headers: {},
    attempts: 0,
    redriven: 0,
    createdAt: new Date(),
  }))
const send = (count = 1) => sendToSqs({ sqs, queueUrl: real.queue.url })(events(count))
const verdicts = async (count?: number) => [...(await send(count)).outcomes.values()].map(({ kind }) => kind)

/** What the real queue has, sorted. */
async function messages(): Promise<string[]> {
  const all: Message[] = []
  for (;;) {
    const { Messages } = await real.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: real.queue.url, MaxNumberOfMessages: 10 }),
    )
    if (!Messages?.length) return all.map(({ Body }) => Body ?? '').toSorted((a, b) => a.localeCompare(b))
    all.push(...Messages)
  }
}

test('without faults everything passes, and what was accepted is known in its order', async () => {
  expect(await verdicts(3)).toEqual(['accepted', 'accepted', 'accepted'])
  expect(accepted).toEqual(['0', '1', '2'])
  expect(await messages()).toEqual(['0', '1', '2'])
  expect(faults).toEqual([])
})

test('a refused entry is refused, never reaches the queue, and its neighbours are accepted', async () => {
  front.become({ refuses: (body) => body === '1' })
  const { outcomes, outage } = await send(3)
  expect(outage).toBeUndefined()
  expect(outcomes.get('1')).toEqual({ kind: 'refused', reason: 'RefusedByTest: this entry is refused' })
  expect([outcomes.get('0')?.kind, outcomes.get('2')?.kind]).toEqual(['accepted', 'accepted'])
  expect(await messages()).toEqual(['0', '2'])
  front.become({ refuses: () => true })
  expect(await verdicts()).toEqual(['refused'])
  expect(faults).toHaveLength(2)
})

test.each([
  ['throttle', 'ThrottlingException'],
  ['error500', 'InternalError'],
] as const)('%s is an outage, and nothing reaches the queue', async (fault, name) => {
  front.become({ call: () => fault })
  const { outcomes, outage } = await send()
  expect(outcomes.size).toBe(0)
  expect(outage).toContain(name)
  expect(await messages()).toEqual([])
  expect(faults).toEqual([fault])
})

test('a dropped answer is an outage to the sender, and the queue has the message', async () => {
  front.become({ call: () => 'drop-answer' })
  expect((await send()).outage).toBeDefined()
  expect(accepted).toEqual(['0'])
  expect(await messages()).toEqual(['0'])
})

test('a duplicate is in the queue twice and accepted once', async () => {
  front.become({ call: () => 'duplicate' })
  expect(await verdicts()).toEqual(['accepted'])
  expect(accepted).toEqual(['0'])
  expect(await messages()).toEqual(['0', '0'])
})

test('when the real one is away the connection ends, and nothing was accepted', async () => {
  const alone = await startSqsFront({ port: await freePort(), endpoint: 'http://127.0.0.1:1', onAccepted: () => {} })
  const client = connectSqs({
    endpoint: alone.endpoint,
    region: 'us-east-1',
    requestTimeoutMs: 5_000,
    maxConnections: 5,
  })
  const { outage } = await sendToSqs({ sqs: client, queueUrl: real.queue.url })(events(1))
  expect(outage).toBeDefined()
  client.destroy()
  await alone.close()
})
