import { ReceiveMessageCommand, type ReceiveMessageCommandInput, SendMessageCommand } from '@aws-sdk/client-sqs'
import { waitSeconds } from '@product-events/inbox'
import { localCredentials } from '@product-events/local'
import { connectSqs, deadLetterQueueName, findQueueUrl } from '@product-events/queue'
import { Registry } from '@product-events/telemetry'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createQueueMetrics } from './queue-metrics.ts'
import { testConsumer } from './testing/consumer.ts'

let t: Awaited<ReturnType<typeof testConsumer>>
beforeAll(async () => {
  t = await testConsumer({
    postgresUrl: inject('postgresUrl'),
    sqsEndpoint: inject('sqsEndpoint'),
    visibilityTimeoutSeconds: 1,
  })
})
afterAll(() => t.close())

const asConsumers: Omit<ReceiveMessageCommandInput, 'QueueUrl'> = {
  WaitTimeSeconds: 3,
  MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
}

async function lines(sqs = t.sqs) {
  const registry = new Registry()
  const log = { deadLettersUncounted: () => expect.fail('warned'), deadLettersCounted: () => expect.fail('told') }
  const { answers } = createQueueMetrics(registry, sqs, t.queueUrl, log)
  return { lines: (await registry.metrics()).split('\n'), answers: await answers() }
}

test('the gauges count both queues, and a message that is received again does not count as waiting', async () => {
  const { sqs, queueUrl } = t
  const QueueUrl = await findQueueUrl(sqs, deadLetterQueueName(t.queueName))
  for (const MessageBody of ['one', 'two']) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))
  await t.send(['message'])
  const receive = async () =>
    (await sqs.send(new ReceiveMessageCommand({ ...asConsumers, QueueUrl: queueUrl }))).Messages
  const first = (await receive()) ?? []
  expect(first.map(waitSeconds)).toEqual([expect.closeTo(0, -1)])
  await t.send(['another', 'and another'])

  const { lines: found, answers } = await lines()
  expect(answers).toBe(true)
  expect(found).toContain('queue_messages{state="visible"} 2')
  expect(found).toContain('queue_messages{state="in_flight"} 1')
  expect(found).toContain('queue_dead_letters 2')
  const again = async () => ((await receive()) ?? []).filter(({ Body }) => Body === first[0]?.Body)
  await expect.poll(async () => (await again()).map(waitSeconds), { timeout: 10_000 }).toEqual([undefined])
})

test('while SQS is away the gauges are unknown, and it is said not to answer', async () => {
  const { AWS_REGION: region } = localCredentials
  const sqs = connectSqs({ endpoint: 'http://127.0.0.1:1', region, requestTimeoutMs: 500, maxConnections: 1 })
  const { lines: found, answers } = await lines(sqs)
  expect(answers).toBe(false)
  expect(found).toContain('queue_messages{state="visible"} Nan')
  expect(found).toContain('queue_dead_letters Nan')
  sqs.destroy()
})
