import { randomUUIDv7 } from 'node:crypto'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { testConsumer, testEvent } from './testing/consumer.ts'

let t: Awaited<ReturnType<typeof testConsumer>>
beforeEach(async () => {
  t = await testConsumer({
    postgresUrl: inject('postgresUrl'),
    sqsEndpoint: inject('sqsEndpoint'),
    visibilityTimeoutSeconds: 1,
  })
})
afterEach(() => t.close())

test('an event becomes one notification, is logged and counted, and its message is deleted', async () => {
  const event = testEvent('product.created', { name: 'Mug 🫖', sequence: 3 })
  await t.send([event])
  await t.handleOnce()

  const [stored, ...others] = await t.notifications()
  expect(others).toEqual([])
  expect(stored).toMatchObject({
    event_id: event.id,
    event_type: 'product.created',
    product_id: event.subject,
    title: 'Product created',
    message: '"Mug 🫖" was created at 12.50',
    sequence: '3',
    occurred_at: new Date(event.time),
    received_at: expect.any(Date),
  })
  expect(t.logged('notification')).toMatchObject([
    {
      event_id: event.id,
      product_id: event.subject,
      event_type: 'product.created',
      sequence: '3',
      notification_id: stored?.id,
    },
  ])
  expect(await t.metric('notifications_total')).toContain('notifications_total{type="product.created"} 1')
  expect(await t.metric('notification_delay_seconds_count')).toEqual(['notification_delay_seconds_count 1'])
  expect(await t.depth()).toEqual({ visible: 0, hidden: 0 })
})

test('an event that was sent twice is stored once, and both messages are deleted', async () => {
  const event = testEvent()
  await t.send([event])
  await t.handleOnce()
  await t.send([event])
  await t.handleOnce()

  expect(await t.notifications()).toHaveLength(1)
  expect(t.logged('notification')).toHaveLength(1)
  expect(await t.metric('notifications_duplicates_total')).toEqual(['notifications_duplicates_total 1'])
  expect(await t.depth()).toEqual({ visible: 0, hidden: 0 })
})

test('an event that is twice in one batch is stored once, also when its id is written in another case', async () => {
  const event = testEvent()
  await t.send([event, event, { ...event, id: event.id.toUpperCase() }])
  await t.handleUntil(t.queueIsEmpty)

  expect(await t.notifications()).toHaveLength(1)
  expect(await t.metric('notifications_total')).toContain('notifications_total{type="product.created"} 1')
  expect(await t.metric('notifications_duplicates_total')).toEqual(['notifications_duplicates_total 2'])
})

test('an event whose id is written in capitals is as new as any other', async () => {
  const event = testEvent()
  await t.send([{ ...event, id: event.id.toUpperCase() }])
  await t.handleOnce()
  expect(t.logged('notification')).toMatchObject([{ event_id: event.id }])
  expect(await t.metric('notifications_duplicates_total')).toEqual(['notifications_duplicates_total 0'])
})

test('a body that is no event is left alone, and after five receives it is in the dead-letter queue; its neighbours are stored', async () => {
  const events = Array.from({ length: 9 }, () => testEvent())
  await t.send([...events.slice(0, 4), 'this is no event', ...events.slice(4)])
  await t.handleUntil(t.queueIsEmpty)

  expect(await t.notifications()).toHaveLength(9)
  expect((await t.deadLetters()).map((message) => message.Body)).toEqual(['this is no event'])
  expect(t.logged('message is no event')).toHaveLength(5)
  expect(t.logged('message is no event')[0]).toMatchObject({
    reason: expect.stringContaining('not JSON'),
    message_id: expect.any(String),
    receive_count: 1,
  })
  expect(await t.metric('notification_failures_total')).toEqual([
    'notification_failures_total{reason="invalid"} 5',
    'notification_failures_total{reason="refused"} 0',
  ])
})

test('a NUL character, half of a surrogate pair and a time before the year 1 fail no neighbour and stay for the dead-letter queue', async () => {
  const event = testEvent()
  const bad = [
    { ...testEvent(), data: { ...event.data, name: 'a\0b' } },
    { ...testEvent(), data: { ...event.data, name: 'a\ud83d' } },
    { ...testEvent(), time: '0000-01-01T00:00:00Z' },
  ]
  await t.send([testEvent(), testEvent(), ...bad, event])
  await t.handleUntil(t.queueIsEmpty)

  expect(await t.notifications()).toHaveLength(3)
  expect(t.logged('notification')).toHaveLength(3)
  const dead = (await t.deadLetters()).map(({ Body = '' }) => JSON.parse(Body) as object)
  expect(new Set(dead)).toEqual(new Set(bad))
  for (const { id, subject } of bad) {
    const lines = t.logged('the database refuses the notification').filter(({ event_id }) => event_id === id)
    expect(lines).toHaveLength(5)
    expect(lines[0]).toMatchObject({ product_id: subject, reason: expect.any(String) })
  }
  expect(await t.metric('notification_failures_total{reason="refused"}')).toEqual([
    'notification_failures_total{reason="refused"} 15',
  ])
})

test('an event of an unknown type, or of a newer shape, is kept as unknown, counted, and logged once for each type', async () => {
  const type = 'product.polished'
  const newer = { ...testEvent('product.updated'), data: { title: 'name, as a later version calls it' } }
  const unknown = [{ ...testEvent(), type }, { ...testEvent(), type }, newer]
  await t.send(unknown)
  await t.handleUntil(t.queueIsEmpty)

  const stored = await t.notifications()
  expect(new Set(stored.map((row) => row.event_id))).toEqual(new Set(unknown.map((event) => event.id)))
  expect(stored.map((row) => row.title)).toEqual(['Unknown event', 'Unknown event', 'Unknown event'])
  expect(await t.metric('notifications_total')).toContain('notifications_total{type="unknown"} 3')
  const logged = t.logged('events of a type or shape that this version does not know').map((line) => line.event_type)
  expect(logged).toHaveLength(2)
  expect(new Set(logged)).toEqual(new Set(['product.polished', 'product.updated']))
  expect(await t.deadLetters()).toEqual([])
})

test('a sequence of nineteen nines, the largest there is, is kept exactly', async () => {
  const event = { ...testEvent(), sequence: '9'.repeat(19) }
  await t.send([event])
  await t.handleOnce()
  expect(await t.notifications()).toMatchObject([{ sequence: '9'.repeat(19) }])
})

test('positions are drawn in the order of commits: a batch waits for the one before it, and its positions are higher', async () => {
  const { pool } = t
  const first = await pool.connect()
  await first.query('BEGIN')
  await first.query('SELECT pg_advisory_xact_lock(7001)')
  const event = testEvent()
  await t.send([event, testEvent()])
  const handled = t.handleUntil(t.queueIsEmpty)
  const locks = () => pool.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)
  await expect.poll(async () => (await locks()).rows).toHaveLength(1)
  await first.query(
    `INSERT INTO notifications (id, event_id, event_type, product_id, title, message, sequence, occurred_at)
     VALUES ($1, $1, 'product.created', $1, '', '', 1, now())`,
    [randomUUIDv7()],
  )
  await first.query('COMMIT')
  first.release()
  await handled
  const positions = await t.notifications()
  expect(positions).toHaveLength(3)
  expect(positions[1]).toMatchObject({ event_id: event.id })
})

test('while tracing is off, log lines about a message name the trace that it came with', async () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const event = testEvent()
  await t.send([event, 'no event'], 'one', `00-${trace}-00f067aa0ba902b7-01`)
  await t.handleUntil(async () => t.logged('notification').length > 0 && t.logged('message is no event').length > 0)
  await t.send([event], 'one', `00-${trace}-00f067aa0ba902b7-00`)
  await t.handleUntil(() => Promise.resolve(t.logged('duplicate').length > 0))
  for (const text of ['notification', 'message is no event', 'duplicate']) {
    expect(t.logged(text)[0]).toMatchObject({ trace_id: trace })
    expect(t.logged(text)[0]).not.toHaveProperty('span_id')
  }
  await t.send([testEvent()], 'one', '00-x-y-01')
  await t.handleUntil(() => Promise.resolve(t.logged('notification').length > 1))
  expect(t.logged('notification')[1]).not.toHaveProperty('trace_id')
})
