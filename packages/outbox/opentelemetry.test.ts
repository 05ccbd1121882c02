import { propagation } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { BatchSpanProcessor, InMemorySpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { traceSends } from './opentelemetry.ts'
import type { OutboxEvent } from './send.ts'
import { sentEvent } from './testing/sent-event.ts'

const exporter = new InMemorySpanExporter()
const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] })
const tracer = provider.getTracer('test')
beforeAll(() => void propagation.setGlobalPropagator(new W3CTraceContextPropagator()))
afterAll(() => propagation.disable())
beforeEach(() => exporter.reset())

const trace = (n: number) => String(n).padStart(32, 'a')
const event = (id: string, headers: Record<string, string> = {}) =>
  sentEvent(id, { eventId: `event-${id}`, type: 'product.created', headers, createdAt: new Date() })
const requested = (n: number) => event(String(n), { traceparent: `00-${trace(n)}-00f067aa0ba902b7-01`, other: 'kept' })

async function spans() {
  await provider.forceFlush()
  const all = exporter.getFinishedSpans()
  const [batch] = all.filter(({ name }) => name === 'send queue')
  return { batch, messages: all.filter(({ name }) => name === 'publish queue') }
}

test('each message of a batch carries a span in the trace of its own event, and the batch links to all of them', async () => {
  let sent: readonly OutboxEvent[] = []
  const events = [requested(1), requested(2), event('3')]
  const before = structuredClone(events)
  await traceSends(
    (events) => {
      sent = events
      return Promise.resolve({ outcomes: new Map(events.map(({ id }) => [id, { kind: 'accepted' }])) })
    },
    { queue: 'queue', tracer },
  )(events)

  // The relay goes on with what it gave.
  expect(events).toEqual(before)
  const { batch, messages } = await spans()
  const contexts = messages.map((span) => span.spanContext())
  expect(contexts.slice(0, 2).map(({ traceId }) => traceId)).toEqual([trace(1), trace(2)])
  expect(messages.map((span) => span.parentSpanContext?.spanId)).toEqual([
    '00f067aa0ba902b7',
    '00f067aa0ba902b7',
    undefined,
  ])
  expect(sent.map(({ headers }) => headers)).toEqual(
    contexts.map(({ traceId, spanId }, n) => ({
      traceparent: `00-${traceId}-${spanId}-01`,
      ...(n < 2 && { other: 'kept' }),
    })),
  )
  expect(batch?.links.map(({ context }) => context)).toEqual(contexts)
  expect(batch?.attributes['messaging.batch.message_count']).toBe(3)
})

test('a span tells why its message was not accepted: refused, without a verdict, or with all others', async () => {
  await traceSends(
    () =>
      Promise.resolve({
        outcomes: new Map([
          ['1', { kind: 'accepted' }],
          ['2', { kind: 'refused', reason: 'no room' }],
        ]),
        outage: 'throttled',
      }),
    { queue: 'queue', tracer },
  )([requested(1), requested(2), requested(3)])
  const { batch, messages } = await spans()
  expect(messages.map(({ status }) => status.message)).toEqual([undefined, 'refused: no room', 'throttled'])
  expect(batch?.status.message).toBe('throttled')
})

test('a send that rejects ends its spans and rejects', async () => {
  const send = traceSends(() => Promise.reject(new Error('a bug')), { queue: 'queue', tracer })
  await expect(send([requested(1)])).rejects.toThrow('a bug')
  const { batch, messages } = await spans()
  expect([batch, ...messages].map((span) => span?.status.message)).toEqual(['a bug', 'a bug'])
})

test('what its caller does not want recorded is not, and its context is passed on', async () => {
  let sent: readonly OutboxEvent[] = []
  const unsampled = event('1', { traceparent: `00-${trace(1)}-00f067aa0ba902b7-00` })
  await traceSends(
    (events) => {
      sent = events
      return Promise.resolve({ outcomes: new Map() })
    },
    { queue: 'queue', tracer },
  )([unsampled])
  expect((await spans()).messages).toEqual([])
  expect(sent[0]?.headers.traceparent).toMatch(new RegExp(`^00-${trace(1)}-[0-9a-f]{16}-00$`))
})

test('without an SDK events keep the trace that they have', async () => {
  let sent: readonly OutboxEvent[] = []
  const send = traceSends(
    (events) => {
      sent = events
      return Promise.resolve({ outcomes: new Map() })
    },
    { queue: 'queue' },
  )
  await send([requested(1), event('2')])
  expect(sent.map(({ headers }) => headers)).toEqual([requested(1).headers, {}])
})
