import { SQSClient } from '@aws-sdk/client-sqs'
import fc from 'fast-check'
import { localCredentials } from '@product-events/local'
import { connectSqs } from '@product-events/queue'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sendToSqs } from './sqs.ts'
import { type CallFate, type EntryFate, startSqsModel } from './testing/sqs.ts'
import { sentEvent } from './testing/sent-event.ts'

let model: Awaited<ReturnType<typeof startSqsModel>>
let sqs: SQSClient
beforeAll(async () => {
  Object.assign(process.env, localCredentials)
  model = await startSqsModel()
  sqs = connectSqs({ endpoint: model.endpoint, region: 'x', requestTimeoutMs: 4_000, maxConnections: 4 })
})
afterAll(async () => {
  sqs.destroy()
  await model.stop()
})

const MIB = 1_048_576
/** What the attribute `type` takes, and the quotes of a JSON string. */
const OVERHEAD = 'type'.length + 'String'.length + 'test.happened'.length + 2

const event = (id: number, length: number, letter: string) =>
  sentEvent(String(id), { payload: JSON.stringify(letter.repeat(length)) })

const entry = fc.record({
  fate: fc.constantFrom<EntryFate>(
    'fine',
    'fine',
    'fine',
    'fine',
    'failed',
    'invalid',
    'throttled',
    'missing',
    'poison',
  ),
  /** Around the limit, alone and in company; a `ü` is two bytes. */
  length: fc.constantFrom(0, 10, 10, 10, 1_000, 300_000, MIB / 2 - OVERHEAD, MIB - OVERHEAD, MIB - OVERHEAD + 1),
  letter: fc.constantFrom('x', 'x', 'ü'),
})
const calls = fc.array(
  fc.constantFrom<CallFate>('answered', 'answered', 'answered', 'throttled', 'down', 'cut', 'accepted-then-cut'),
  { maxLength: 4 },
)

test('whatever SQS does, each verdict is the one that SQS gave, no limit is broken, and an outage ends the calls', async () => {
  const property = fc.asyncProperty(
    // A call without events is a question of its own, and the only one whose batch is empty.
    fc.array(entry, { minLength: 1, maxLength: 14, size: 'max' }),
    calls,
    async (entries, callFates) => {
      const events = entries.map(({ length, letter }, index) => event(index, length, letter))
      const fateOf = (id: string) => entries[Number(id)]!.fate
      model.reset()
      Object.assign(model, { entryFate: fateOf, callFates })
      const { outcomes, outage } = await sendToSqs({ sqs, queueUrl: model.queueUrl })(events)

      expect(model.violations).toEqual([])
      const answerLost = callFates.slice(0, model.calls).includes('accepted-then-cut')
      for (const { id, payload } of events) {
        const outcome = outcomes.get(id)?.kind
        const fate = Buffer.byteLength(payload) - 2 + OVERHEAD > MIB ? 'too large' : fateOf(id)
        if (outcome === 'accepted') expect(model.queue.get(id)).toBe(payload)
        else if (!answerLost) expect(model.queue.has(id), 'what is on the queue is accepted').toBe(false)
        const possible = {
          fine: 'accepted',
          failed: 'not-taken',
          invalid: 'unacceptable',
          poison: 'unacceptable',
          'too large': 'unacceptable',
          throttled: undefined,
          missing: undefined,
        }[fate]
        if (outcome !== undefined || outage === undefined) expect(outcome, fate).toBe(possible)
        if (fate === 'too large') expect(outcome).toBe('unacceptable')
      }
      const failedCall = callFates.findIndex((fate) => fate !== 'answered')
      if (failedCall >= 0 && failedCall < model.calls) {
        expect(outage).toBeDefined()
        expect(model.calls, 'nothing is asked of a broker that is away').toBe(failedCall + 1)
      }
      const throttled = events.some(({ id, payload }) => fateOf(id) === 'throttled' && payload.length < 1_000)
      if (throttled && failedCall < 0) expect(outage).toBeDefined()
    },
  )
  // On a busy machine fewer, instead of none at all.
  await fc.assert(property, { numRuns: 40, interruptAfterTimeLimit: 30_000 })
}, 60_000)

test('a message because of which SQS refuses the whole call is unacceptable, and the others of the call are sent', async () => {
  model.reset()
  model.entryFate = (id) => (id === '2' ? 'poison' : 'fine')
  const { outcomes, outage } = await sendToSqs({ sqs, queueUrl: model.queueUrl })([
    event(1, 10, 'x'),
    event(2, 10, 'x'),
    event(3, 10, 'x'),
  ])
  expect(outage).toBeUndefined()
  expect(Object.fromEntries([...outcomes].map(([id, { kind }]) => [id, kind]))).toEqual({
    1: 'accepted',
    2: 'unacceptable',
    3: 'accepted',
  })
  expect([...model.queue.keys()]).toEqual(['1', '3'])
})

test('a client that keeps expired credentials is made to ask for new ones', async () => {
  model.reset()
  model.callFates = ['expired']
  let asked = 0
  const credentials = () => {
    asked++
    return Promise.resolve({ accessKeyId: `key-${asked}`, secretAccessKey: 'secret' })
  }
  const client = new SQSClient({ endpoint: model.endpoint, region: 'x', maxAttempts: 1, credentials })
  const send = sendToSqs({ sqs: client, queueUrl: model.queueUrl })
  expect(await send([event(1, 10, 'x')])).toMatchObject({ outage: expect.stringContaining('ExpiredToken') })
  expect((await send([event(1, 10, 'x')])).outcomes.get('1')).toEqual({ kind: 'accepted' })
  expect(model.accessKeys).toEqual(['key-1', 'key-2'])
  client.destroy()
})
