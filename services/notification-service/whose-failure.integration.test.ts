import { randomUUIDv7 } from 'node:crypto'
import { expect, inject, test, type TestContext, vi } from 'vitest'
import type { Outgoing } from './channels/store-with-deliveries.ts'
import { ascii } from '../../packages/queue/testing/test-queue.ts'
import { testConsumer, testEvent, type TestOptions } from './testing/consumer.ts'

/** A queue whose messages come back after a second, unless they are kept hidden: the tests wait side by side. */
async function setUp({ onTestFinished }: TestContext, options: Partial<TestOptions> = {}) {
  const t = await testConsumer({
    postgresUrl: inject('postgresUrl'),
    sqsEndpoint: inject('sqsEndpoint'),
    visibilityTimeoutSeconds: 1,
    ...options,
  })
  onTestFinished(t.close)
  return t
}

const outgoing: Outgoing = {
  destinations: [{ channel: 'webhook', endpoint: 'shop' }],
  disabled: { names: () => Promise.resolve(new Set()), add: () => Promise.resolve(true) },
  nudge: () => {},
}

const patiently = { timeout: 25_000, interval: 50 }
const byId = (one: { event_id: string }, other: { event_id: string }) => one.event_id.localeCompare(other.event_id)
const named = (name: string) => testEvent('product.created', { name })
const storedNames = async (t: Awaited<ReturnType<typeof setUp>>) =>
  (await t.notifications()).map(({ message }) => String(message).split('"')[1])

/** PostgreSQL answers a notification about a product named "Poison" and a SQLSTATE with that. */
const REFUSE_POISON = `
  CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE state text := substring(NEW.message FROM 'Poison (\\w{5})');
  BEGIN
    IF state IS NOT NULL THEN RAISE EXCEPTION 'no poison' USING ERRCODE = state; END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER refuse_poison BEFORE INSERT ON notifications FOR EACH ROW EXECUTE FUNCTION refuse_poison()`

test.concurrent(
  'messages to which PostgreSQL answers with an error, of whatever class, are left to the dead-letter queue; their neighbours are stored at once',
  async (context) => {
    const t = await setUp(context)
    await t.pool.query(REFUSE_POISON)
    void t.run()
    const poison = ['P0001', 'XX000', '54000', '42501', '0A000', '23514', '22P02'].map((state) =>
      named(`Poison ${state}`),
    )
    const [first, ...others] = poison
    await t.send([named('a'), named('b'), first!, named('c')])
    for (const event of others) await t.send([event, named(event.id)])
    const innocent = new Set(['a', 'b', 'c', ...others.map(({ id }) => id)])
    await vi.waitFor(async () => expect(new Set(await storedNames(t))).toEqual(innocent), patiently)
    await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(poison.length), patiently)

    expect(new Set((await t.deadLetters()).map(({ Body }) => Body))).toEqual(new Set(poison.map(ascii)))
    expect(t.logged('the database refuses the notification').length).toBeGreaterThan(2 * poison.length)
    expect(t.logged('the database stores nothing')).toEqual([])
    const { rows } = await t.pool.query<{ event_id: string }>('SELECT event_id, reason, failures FROM failed_messages')
    const failed = { reason: "the event can't be stored: no poison", failures: expect.any(Number) }
    expect(rows.toSorted(byId)).toEqual(poison.map(({ id }) => ({ event_id: id, ...failed })).toSorted(byId))
  },
)

test.concurrent(
  'a message that alone is refused, with nothing else in the queue, ends in the dead-letter queue as well',
  async (context) => {
    const t = await setUp(context)
    await t.pool.query(REFUSE_POISON)
    void t.run()
    await t.send([named('Poison XX000')])
    await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(1), patiently)
    expect(t.consumer.failing()).toBeUndefined()
  },
)

test.concurrent(
  'a type of 4,000 characters, or a body of any other kind that is no event, harms nothing and is in the dead-letter queue',
  async (context) => {
    const t = await setUp(context)
    void t.run()
    const long = { ...testEvent(), type: 't'.repeat(4_000) }
    const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
    const nested = JSON.stringify(testEvent()).replace(/}$/, `,"data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)
    await t.send([long, deep, nested, 'null', '[]', '"\\u001b]52;c;\\u0007"', named('good')])
    await vi.waitFor(async () => expect(await storedNames(t)).toEqual(['good']), patiently)
    await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(6), patiently)
    expect(t.consumer.failing()).toBeUndefined()
  },
)

test.concurrent.for([
  ['INSERT on the notifications', 'notifications'],
  ['INSERT on the deliveries', 'events'],
])(
  'without the right to %s all messages are held, none is dead, one line says so, and all is well after the grant',
  async ([, table], context) => {
    const t = await setUp(context, { limited: true, outgoing })
    await t.pool.query(`REVOKE INSERT ON ${table} FROM ${t.role}`)
    const extended = t.extensions()
    void t.run()
    await t.send(['a', 'b', 'c', 'd'].map(named))
    await vi.waitFor(() => expect(t.consumer.failing()).toContain(`permission denied for table ${table}`), patiently)
    // Messages that were not held would have been received five times by then.
    await vi.waitFor(() => expect(extended()).toBeGreaterThan(20), patiently)
    expect(await t.deadLetters()).toEqual([])
    expect(t.logged('the database refuses the notification')).toEqual([])
    expect(t.logged('the database stores nothing')).toHaveLength(1)

    await t.pool.query(`GRANT INSERT ON ${table} TO ${t.role}`)
    await vi.waitFor(async () => expect(await t.notifications()).toHaveLength(4), patiently)
    await vi.waitFor(() => expect(t.logged('the database stores again')).toHaveLength(1), patiently)
    expect(t.consumer.failing()).toBeUndefined()
    await vi.waitFor(async () => expect(await t.queueIsEmpty()).toBe(true), patiently)
    expect(await t.deadLetters()).toEqual([])
  },
)

test.concurrent('positions that run behind the rows, as after a restore, are no message’s fault', async (context) => {
  const t = await setUp(context)
  await t.send([named('before')])
  await t.handleOnce()
  await t.pool
    .query(`INSERT INTO notifications (position, id, event_id, event_type, product_id, title, message, sequence, occurred_at)
    OVERRIDING SYSTEM VALUE SELECT n, gen_random_uuid(), gen_random_uuid(), 'x', gen_random_uuid(), '', '"old"', 1, now()
    FROM generate_series(5, 10) AS n`)
  void t.run()
  await t.send(['a', 'b', 'c', 'd', 'e', 'f'].map(named))
  await vi.waitFor(async () => expect((await t.notifications()).length).toBe(13), patiently)
  expect(t.logged('the database refuses the notification')).toEqual([])
  expect(await t.deadLetters()).toEqual([])
})

test.concurrent(
  'several changes of one product that are stored by one statement are in order in the list and in the deliveries',
  async (context) => {
    const t = await setUp(context, { outgoing, visibilityTimeoutSeconds: 30 })
    const productId = randomUUIDv7()
    const changes = [10, 2, 9, 1].map((sequence) => testEvent('product.updated', { productId, sequence }))
    const blocker = await t.pool.connect()
    await blocker.query('BEGIN')
    await blocker.query('SELECT pg_advisory_xact_lock(7001)')
    void t.run()
    await t.send([named('first')])
    await vi.waitFor(async () => expect((await t.depth()).hidden).toBe(1), patiently)
    await t.send(changes)
    await vi.waitFor(async () => expect((await t.depth()).hidden).toBe(5), patiently)
    await blocker.query('COMMIT')
    blocker.release()
    await vi.waitFor(async () => expect(await t.notifications()).toHaveLength(5), patiently)

    const listed = (await t.notifications()).filter((row) => row.product_id === productId).map((row) => row.sequence)
    const { rows } = await t.pool.query<{ sequence: string }>(
      `SELECT payload->'data'->>'sequence' AS sequence FROM events WHERE key LIKE '%' || $1 ORDER BY id`,
      [productId],
    )
    expect(listed).toEqual(['1', '2', '9', '10'])
    expect(rows.map((row) => row.sequence)).toEqual(listed)
  },
)

test.concurrent(
  'an event with the id of another one but other content is logged once, and only the first is notified',
  async (context) => {
    const t = await setUp(context)
    const event = named('original')
    const other = { ...event, data: { ...event.data, name: 'forged' } }
    const reordered = Object.fromEntries(Object.entries({ ...event, id: event.id.toUpperCase() }).toReversed())
    await t.send([event])
    await t.handleUntil(async () => (await t.notifications()).length === 1)
    await t.send([other, other, event, reordered])
    await t.handleUntil(t.queueIsEmpty)
    expect(await storedNames(t)).toEqual(['original'])
    expect(t.logged('an event with the id of another one')).toMatchObject([{ event_id: event.id, level: 40 }])
    expect(await t.metric('notifications_duplicates_total')).toEqual(['notifications_duplicates_total 4'])
  },
)

test.concurrent('an observer that throws changes nothing: all is stored once and deleted', async (context) => {
  const t = await setUp(context)
  const broken = () => {
    throw new Error('the log is full')
  }
  Object.assign(t.metrics, { received: broken, handled: broken, notified: broken, receivers: broken, failure: broken })
  void t.run()
  await t.send([named('a'), named('b'), 'no event'])
  await vi.waitFor(async () => expect(await t.notifications()).toHaveLength(2), patiently)
  await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(1), patiently)
  expect(await t.queueIsEmpty()).toBe(true)
  expect(t.consumer.failing()).toBeUndefined()
})

test.concurrent('the consumer relies on no setting of a session', async (context) => {
  const t = await setUp(context, { limited: true })
  const name = new URL(t.databaseUrl).pathname.slice(1)
  for (const setting of [
    "datestyle = 'German'",
    "timezone = 'Asia/Kathmandu'",
    "intervalstyle = 'sql_standard'",
    'extra_float_digits = -15',
    "bytea_output = 'escape'",
    "default_transaction_isolation = 'serializable'",
    'search_path = nowhere',
  ])
    await t.pool.query(`ALTER DATABASE ${name} SET ${setting}`)
  void t.run()
  const event = named('Mug')
  await t.send([event, 'no event'])
  await vi.waitFor(() => expect(t.logged('notification')).toHaveLength(1), patiently)
  await t.send([event])
  await vi.waitFor(() => expect(t.logged('duplicate')).toHaveLength(1), patiently)
  const { rows } = await t.pool.query(`SELECT event_id, occurred_at FROM public.notifications`)
  expect(rows).toEqual([{ event_id: event.id, occurred_at: new Date(event.time) }])
  await vi.waitFor(async () => {
    expect((await t.pool.query('SELECT FROM public.failed_messages')).rowCount).toBe(1)
  }, patiently)
})
