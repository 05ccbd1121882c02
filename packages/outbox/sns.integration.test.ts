import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { OutboxEvent } from './index.ts'
import { sendToSns } from './sns.ts'
import { freshTopic, snsClient } from './testing/sns.ts'
import { sentEvent } from './testing/sent-event.ts'
import { receiveAll } from './testing/receive.ts'

let topic: Awaited<ReturnType<typeof freshTopic>>
beforeAll(async () => {
  topic = await freshTopic(inject('sqsEndpoint'), ['raw', 'wrapped'])
})
afterAll(() => topic.close())

let nextId = 1
const event = (payload: unknown, more: Partial<OutboxEvent> = {}) =>
  sentEvent(String(nextId++), { payload: JSON.stringify(payload), createdAt: new Date(), ...more })

test('every subscribed queue gets every event: raw as it was published, or wrapped', async () => {
  const { sns, topicArn, queues } = topic
  const events = Array.from({ length: 12 }, (_, n) =>
    event({ n, name: 'Mug 🫖 "ü"' }, { headers: { traceparent: '00-1' } }),
  )
  const { outcomes, outage } = await sendToSns({ sns, topicArn })(events)
  expect(outage).toBeUndefined()
  expect([...outcomes]).toEqual(events.map(({ id }) => [id, { kind: 'accepted' }]))
  const [raw, wrapped] = await Promise.all(
    queues.map((queue) => receiveAll({ sqs: queue.sqs, url: queue.queue.url }, 12)),
  )
  const payloads = (bodies: string[]) =>
    bodies.map((body) => JSON.parse(body) as { n: number }).toSorted((a, b) => a.n - b.n)
  const published = events.map(({ payload }) => JSON.parse(payload) as unknown)
  expect(payloads(raw!.map(({ Body }) => Body!))).toEqual(published)
  expect(raw![0]?.MessageAttributes).toMatchObject({
    type: { StringValue: 'test.happened' },
    traceparent: { StringValue: '00-1' },
  })
  expect(payloads(wrapped!.map(({ Body }) => (JSON.parse(Body!) as { Message: string }).Message))).toEqual(published)
})

test('on a FIFO topic the key is the group and the event id the deduplication id', async () => {
  const fifo = await freshTopic(inject('sqsEndpoint'), ['raw'], { fifo: true })
  const send = sendToSns(fifo)
  const first = event(1, { key: 'product-1' })
  await send([first])
  await send([first])
  const { sqs, queue } = fifo.queues[0]!
  const AttributeNames = ['ApproximateNumberOfMessages'] as const
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: [...AttributeNames] }),
  )
  expect(Attributes).toEqual({ ApproximateNumberOfMessages: '1' })
  const [received] = await receiveAll({ sqs, url: queue.url }, 1)
  expect(received?.Attributes?.MessageGroupId).toBe('product-1')
  fifo.close()
})

test('an SNS that can not be reached, and a topic that is gone, are outages: no event is judged', async () => {
  const away = await sendToSns({ ...topic, sns: snsClient('http://127.0.0.1:1') })([event(1)])
  expect(away.outcomes.size).toBe(0)
  expect(away.outage).toContain('ECONNREFUSED')
  const gone = await sendToSns({ ...topic, topicArn: `${topic.topicArn}-gone` })([event(1)])
  expect(gone.outcomes.size).toBe(0)
  expect(gone.outage).toMatch(/NotFound/)
})

test('an event that is too large for SNS is unacceptable; one above the size of a batch is published alone', async () => {
  const batches: number[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
    request.on('end', () => {
      const ids = [...new URLSearchParams(body)].flatMap(([name, value]) => (name.endsWith('.Id') ? [value] : []))
      batches.push(ids.length)
      const failed = body.includes('refuse-me')
      const entries = ids.map((id) =>
        failed
          ? `<member><Id>${id}</Id><Code>InvalidParameter</Code><Message>bad</Message><SenderFault>true</SenderFault></member>`
          : `<member><Id>${id}</Id><MessageId>m</MessageId></member>`,
      )
      const [Successful, Failed] = failed ? ['', entries.join('')] : [entries.join(''), '']
      response.setHeader('content-type', 'text/xml')
      response.end(
        `<PublishBatchResponse><PublishBatchResult><Successful>${Successful}</Successful><Failed>${Failed}</Failed></PublishBatchResult></PublishBatchResponse>`,
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sns = snsClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const send = sendToSns({ ...topic, sns })
  const large = event('x'.repeat(300_000))
  const small = [event('a'), event('b')]
  const tooLarge = event('x'.repeat(1024 * 1024))
  const refused = event('refuse-me')
  const { outcomes } = await send([...small, large, tooLarge])
  expect(batches).toEqual([2, 1])
  expect([...small, large].map(({ id }) => outcomes.get(id)?.kind)).toEqual(['accepted', 'accepted', 'accepted'])
  expect(outcomes.get(tooLarge.id)).toMatchObject({
    kind: 'unacceptable',
    reason: expect.stringContaining('too large'),
  })
  expect((await send([refused])).outcomes.get(refused.id)).toEqual({
    kind: 'unacceptable',
    reason: 'InvalidParameter: bad',
  })
  sns.destroy()
  server.close()
})
