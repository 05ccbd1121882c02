import { randomUUID, randomUUIDv7 } from 'node:crypto'
import { SendMessageCommand } from '@aws-sdk/client-sqs'
import { append } from '@product-events/outbox'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { freshSources } from '../testing/databases.ts'
import { describePlace, type EventWay, findEvent, type Found } from './index.ts'

let sources: Awaited<ReturnType<typeof freshSources>>
beforeAll(async () => {
  sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
})
afterAll(() => sources.close())

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

/** An event of a product, written just now. */
async function written(productId: string = randomUUIDv7(), sequence = 1, type = 'product.created') {
  const event = { id: randomUUIDv7(), key: productId, type, payload: { id: 'x', sequence: String(sequence) } }
  await append(sources.products, [{ ...event, payload: { ...event.payload, id: event.id } }])
  return event
}

async function set(eventId: string, columns: string) {
  await sources.products.query(`UPDATE events SET ${columns} WHERE event_id = $1`, [eventId])
}

const accept = (eventId: string, ago = '0 s') =>
  set(eventId, `status = 'processed', processed_at = clock_timestamp() - interval '${ago}'`)

async function store(event: { id: string; key: string; type: string; payload: { sequence: string } }) {
  const id = randomUUIDv7()
  await sources.notifications.query(
    `INSERT INTO notifications (id, event_id, event_type, product_id, title, message, sequence, occurred_at)
     VALUES ($1, $2, $3, $4, '', '', $5, clock_timestamp())`,
    [id, event.id, event.type, event.key, event.payload.sequence],
  )
  return id
}

async function deliver(event: { id: string; key: string }, status: string, error: string | null = null) {
  await append(sources.notifications, [
    { id: event.id, key: `webhook:shop:${event.key}`, type: 'product.created', payload: {} },
  ])
  await sources.notifications.query(
    `UPDATE events SET status = $2, last_error = $3, attempts = 3, processed_at = clock_timestamp() WHERE event_id = $1`,
    [event.id, status, error],
  )
}

async function fail(messageId: string, eventId: string | null, failures: number) {
  await sources.notifications.query(
    `INSERT INTO failed_messages (message_id, event_id, reason, failures) VALUES ($1, $2, 'too long a name', $3)`,
    [messageId, eventId, failures],
  )
}

async function way(id: string): Promise<EventWay> {
  const found = await findEvent(id, sources)
  if (found.kind !== 'event') throw new Error(JSON.stringify(found))
  return found.way
}
const words = (of: EventWay) => describePlace(of, Date.now())

test('pending without a relay: the lane has no owner, and the way out is named', async () => {
  const event = await written()
  const found = await way(event.id)
  expect(found).toMatchObject({
    event_id: event.id,
    product_id: event.key,
    sequence: '1',
    accepted_at: null,
    stored_at: null,
    place: { at: 'outbox', state: 'pending', owner: { kind: 'free' } },
  })
  expect(words(found)).toMatchObject({ why: 'No relay owns its lane.', action: 'npm run outbox -- status' })
})

test('pending in a lane whose relay is alive, or whose relay died', async () => {
  const event = await written()
  const relay = randomUUID()
  const lease = (seconds: number) =>
    sources.products.query(
      `INSERT INTO outbox_relays (id, name, expires_at) VALUES ($1, 'host:7', clock_timestamp() + $2 * interval '1 s')
       ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at`,
      [relay, seconds],
    )
  await lease(60)
  await sources.products.query(
    'UPDATE outbox_lanes SET relay = $1 WHERE lane = (SELECT lane FROM events WHERE event_id = $2)',
    [relay, event.id],
  )
  expect((await way(event.id)).place).toMatchObject({
    owner: { kind: 'owned', relay: 'host:7' },
    sqs: { kind: 'depth' },
  })
  await lease(-30)
  expect(words(await way(event.id)).why).toMatch(/^The lease of relay host:7, .* ran out 3\d s ago\./)
})

test('refused: when the relay retries; a later event of the product is blocked by it', async () => {
  const event = await written()
  const later = await written(event.key, 2, 'product.updated')
  await set(
    event.id,
    `status = 'failed', attempts = 2, last_error = 'InternalError',
    next_attempt_at = clock_timestamp() + interval '1 hour'`,
  )
  expect(words(await way(event.id))).toMatchObject({
    why: '2 refusals: InternalError',
    next: expect.stringMatching(/^The relay retries in (60|59) min;/),
  })
  const blocked = await way(later.id)
  expect(blocked.place).toMatchObject({ at: 'outbox', state: 'blocked', by: { last_error: 'InternalError' } })
})

test('dead: the redrive that mends it', async () => {
  const event = await written()
  await set(event.id, `status = 'dead', attempts = 10, last_error = 'too large'`)
  const found = await way(event.id)
  expect(words(found)).toMatchObject({
    where: 'In the outbox, dead.',
    action: `Mend the reason, then: npm run outbox -- redrive ${found.row?.id}`,
  })
})

test('published and not stored: on the queue, failing there, or lost when the queue is empty', async () => {
  const event = await written()
  await accept(event.id)
  expect((await way(event.id)).place).toMatchObject({ at: 'queue', state: 'waiting', sqs: { kind: 'depth' } })
  await accept(event.id, '10 min')
  const lost = await way(event.id)
  expect(lost.place).toEqual({ at: 'lost' })
  expect(words(lost).action).toBe(`npm run outbox -- resend ${lost.row?.id}`)
  const messageId = randomUUID()
  await fail(messageId, event.id, 2)
  const failing = await way(event.id)
  expect(failing.place).toMatchObject({ at: 'queue', state: 'failing', max_receives: 5 })
  expect(words(failing)).toMatchObject({ why: 'too long a name', where: expect.stringContaining('failed 2 times') })
  expect((await way(messageId)).event_id).toBe(event.id)
})

test('in the dead-letter queue, by its event, its message, and whatever was sent there', async () => {
  const event = await written()
  await accept(event.id)
  const { deadLetterUrl } = await sources.queues()
  const send = async (body: string) =>
    (await sources.sqs.send(new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody: body }))).MessageId!
  const messageId = await send(JSON.stringify(event.payload))
  const strange = await send('no event \u202E')
  await fail(messageId, event.id, 5)
  const found = await way(event.id)
  expect(found.place).toMatchObject({ at: 'dead-letter-queue', message_id: messageId, seen: true })
  expect(words(found).action).toContain(`npm run inbox -- redrive ${messageId}`)
  expect((await way(messageId)).event_id).toBe(event.id)
  expect(await findEvent(strange, sources)).toMatchObject({ kind: 'message', message_id: strange, failure: null })
  // The look that was just made does not know it, and hides the others for a second.
  const later = await send('after that look')
  expect(await findEvent(later, sources)).toMatchObject({ kind: 'message', message_id: later })
})

test('stored: by notification, with each delivery until all are made', async () => {
  const event = await written()
  await accept(event.id)
  const notificationId = await store(event)
  expect((await way(notificationId)).place).toEqual({ at: 'notified' })
  await deliver(event, 'dead', 'HTTP 410')
  const abandoned = await way(event.id)
  expect(abandoned.place).toMatchObject({ at: 'channels', state: 'abandoned' })
  expect(abandoned.deliveries).toMatchObject([{ destination: 'webhook:shop', status: 'dead', attempts: 3 }])
  expect(words(abandoned)).toMatchObject({ why: 'HTTP 410', action: expect.stringContaining('--service notification') })
  await sources.notifications.query(`UPDATE events SET status = 'processed' WHERE event_id = $1`, [event.id])
  expect((await way(event.id)).place).toEqual({ at: 'notified' })
})

test('a product gives its events by sequence, stored or not, and also after its delete', async () => {
  const first = await written()
  const events = [first, await written(first.key, 2, 'product.updated'), await written(first.key, 3, 'product.updated')]
  await accept(events[0]!.id)
  await store(events[0]!)
  await accept(events[1]!.id)
  const sequences = (found: Found) =>
    found.kind === 'events' ? found.ways.map(({ sequence, place }) => `${sequence} ${place.at}`) : []
  expect(sequences(await findEvent(first.key.toUpperCase(), sources))).toEqual(['1 notified', '2 queue', '3 outbox'])
})

test('a trace id, and an event id of another origin, is found in a scan that says how far it went', async () => {
  const foreign = { id: randomUUID(), key: randomUUID(), type: 'x', payload: {} }
  await append(sources.products, [{ ...foreign, headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } }])
  for (const id of [foreign.id, TRACE, `00-${TRACE}-00f067aa0ba902b7-01`]) {
    const found = await findEvent(id, sources)
    expect(found).toMatchObject({ kind: 'event', way: { event_id: foreign.id, trace_id: TRACE } })
    expect(found.kind === 'event' && found.looked.since).toBeInstanceOf(Date)
  }
  await set(foreign.id, `created_at = created_at - interval '2 hours'`)
  expect(await findEvent(foreign.id, { ...sources, sinceMs: 1 })).toMatchObject({ kind: 'not-found' })
})

test('a row with the largest or a negative number hides no other', async () => {
  const event = await written()
  await sources.products.query(
    `INSERT INTO events (id, event_id, key, type, payload, status) OVERRIDING SYSTEM VALUE
     VALUES (9223372036854775807, gen_random_uuid(), 'largest', 'x', '{}', 'processed'),
            (-9223372036854775808, gen_random_uuid(), 'least', 'x', '{}', 'processed')`,
  )
  expect((await findEvent(event.id, sources)).kind).toBe('event')
  expect((await findEvent(randomUUID(), sources)).kind).toBe('not-found')
  await sources.products.query("DELETE FROM events WHERE key IN ('largest', 'least')")
})

test('a source that does not answer makes the answer unknown, not wrong', async () => {
  const event = await written()
  await accept(event.id)
  const silent = { query: () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })) }
  const found = await findEvent(event.id, { ...sources, notifications: silent })
  expect(found).toMatchObject({
    kind: 'event',
    way: { place: { at: 'unknown', missing: ['notifications'] } },
    looked: { missing: [{ source: 'notifications', reason: 'refused (ECONNREFUSED)' }] },
  })
  const noSqs = await findEvent(event.id, { ...sources, queues: () => Promise.reject(new Error('SQS is gone')) })
  expect(noSqs).toMatchObject({ kind: 'event', way: { place: { at: 'unknown', missing: ['sqs'] } } })
})

test.each(['', 'tea', '123-456', 'req_17', 'ff'.repeat(15)])('%j is no id, and what would be is said', async (text) => {
  expect(await findEvent(text, sources)).toMatchObject({
    kind: 'no-id',
    expected: expect.stringContaining('request id'),
  })
})
