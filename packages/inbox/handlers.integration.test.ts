import type pg from 'pg'
import { expect, test, type TestContext, vi } from 'vitest'
import type { Handlers } from './index.ts'
import { cancelled, paid, type ShopEvents, testInbox, type TestInbox, type TestOptions } from './testing/inbox.ts'

/** Most of these tests wait for messages that come back: they wait side by side. */
async function setUp({ onTestFinished }: TestContext, options: TestOptions = { visibilityTimeoutSeconds: 1 }) {
  const t = await testInbox(options)
  onTestFinished(t.close)
  return t
}

type Options = Parameters<TestInbox['consumer']>[0]

const patiently = { timeout: 25_000, interval: 50 }
const invoice: Handlers<ShopEvents, pg.PoolClient> = {
  'order.paid': ({ payload }, tx) => tx.query('INSERT INTO invoices VALUES ($1, $2)', [payload.order, payload.amount]),
}
const cancel: Handlers<ShopEvents, pg.PoolClient> = {
  'order.cancelled': ({ payload }, tx) => tx.query('DELETE FROM invoices WHERE order_id = $1', [payload.order]),
}
/** An effect that no constraint holds back. */
const count = async (t: TestInbox) => {
  await t.pool.query('CREATE TABLE calls (event_id text, sequence numeric)')
  const handler: Handlers<ShopEvents, pg.PoolClient>['order.paid'] = ({ id, sequence }, tx) =>
    tx.query('INSERT INTO calls VALUES ($1, $2)', [id, sequence])
  const calls = async () => (await t.pool.query<{ sequence: string }>('SELECT * FROM calls')).rows
  return { handler, calls }
}

test.concurrent(
  'the effect of an event and the memory of it commit together, once, however often its message arrives',
  async (context) => {
    const t = await setUp(context)
    const { handler, calls } = await count(t)
    const consumer = t.run({ handlers: { 'order.paid': handler } })
    const event = paid('order-7')
    await t.send([event, event, paid('order-8')])
    await vi.waitFor(() => expect(t.reported('stored')).toHaveLength(2), patiently)
    await t.send([event])
    await vi.waitFor(() => expect(t.reported('duplicate')).toHaveLength(2), patiently)
    expect(await calls()).toHaveLength(2)
    expect(await t.recorded()).toBe(2)
    expect(t.reported('duplicate')).toMatchObject([{ differs: false }, { differs: false }])
    await vi.waitFor(async () => expect(await t.depth()).toEqual({ visible: 0, hidden: 0 }), patiently)
    expect(consumer.failing()).toBeUndefined()
  },
)

test.concurrent(
  'an event whose handler throws leaves no trace and ends in the dead-letter queue; its neighbours are handled',
  async (context) => {
    const t = await setUp(context)
    const poison = paid('poison', { amount: -1 })
    t.run({ handlers: invoice })
    await t.send([paid('a'), poison, paid('b')])
    await vi.waitFor(async () => expect(await t.invoices()).toEqual(['a', 'b']), patiently)
    await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(1), patiently)
    expect(await t.recorded()).toBe(2)
    const { rows } = await t.pool.query('SELECT event_id, failures, reason FROM inbox.failed_messages')
    expect(rows).toEqual([
      { event_id: poison.id, failures: expect.any(Number), reason: expect.stringContaining('invoices_amount_check') },
    ])
  },
)

test.concurrent(
  'a handler that fails for all events of its type holds them and no others; none is dead, and all is well when it works',
  async (context) => {
    const t = await setUp(context)
    await t.pool.query(`INSERT INTO invoices VALUES ('old', 1)`)
    await t.pool.query('ALTER TABLE invoices RENAME COLUMN amount TO total')
    const broken: Handlers<ShopEvents, pg.PoolClient>['order.paid'] = ({ payload }, tx) =>
      tx.query('INSERT INTO invoices (order_id, amount) VALUES ($1, $2)', [payload.order, payload.amount])
    const extended = t.extensions()
    const consumer = t.run({ handlers: { 'order.paid': broken, ...cancel } })
    await t.send([paid('a'), cancelled('old'), paid('b')])
    await vi.waitFor(() => expect(consumer.failing()).toMatch(/^handler order.paid: column "amount"/), patiently)
    await vi.waitFor(async () => expect(await t.invoices()).toEqual([]), patiently)
    // A message that was not held would have been received five times by then.
    await vi.waitFor(() => expect(extended()).toBeGreaterThan(20), patiently)
    expect(await t.deadLetters()).toEqual([])
    expect(t.reported('refused')).toEqual([])
    expect(t.reported('away')).toHaveLength(1)
    await t.pool.query('ALTER TABLE invoices RENAME COLUMN total TO amount')
    await vi.waitFor(async () => expect(await t.invoices()).toEqual(['a', 'b']), patiently)
    await vi.waitFor(() => expect(t.reported('back')).toHaveLength(1), patiently)
    expect(consumer.failing()).toBeUndefined()
  },
)

test.concurrent(
  'a lone event that fails is held until another of its type succeeds, or a sample does',
  async (context) => {
    const t = await setUp(context)
    const consumer = t.run({ handlers: invoice })
    await t.send([paid('poison', { amount: -1 })])
    await vi.waitFor(() => expect(consumer.failing()).toContain('invoices_amount_check'), patiently)
    await t.send([paid('a')])
    await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(1), patiently)
    expect(consumer.failing()).toBeUndefined()

    const other = await setUp(context)
    const sample = () => ({ id: 'sample', type: 'order.paid' as const, payload: { order: 'none', amount: 1 } })
    const withSample = other.run({ handlers: invoice, samples: { 'order.paid': sample } })
    await other.send([paid('poison', { amount: -1 })])
    await vi.waitFor(async () => expect(await other.deadLetters()).toHaveLength(1), patiently)
    expect(withSample.failing()).toBeUndefined()
    expect(await other.invoices()).toEqual([])
    expect(await other.recorded()).toBe(0)
  },
)

test.concurrent(
  'a handler that never ends fails alone after its time, and holds up no neighbour for longer',
  async (context) => {
    const t = await setUp(context)
    const handlers: Handlers<ShopEvents, pg.PoolClient> = {
      'order.paid': async (event, tx) => {
        if (event.key === 'endless') await new Promise(() => {})
        await tx.query('INSERT INTO invoices VALUES ($1, 1)', [event.payload.order])
      },
    }
    t.run({ handlers, handlerTimeoutMs: 300 })
    await t.send(['a', 'b', 'endless', 'c', 'd'].map((order) => paid(order)))
    await vi.waitFor(async () => expect(await t.invoices()).toEqual(['a', 'b', 'c', 'd']), patiently)
    await vi.waitFor(() => expect(t.reported('refused').length).toBeGreaterThan(0), patiently)
    expect(t.reported('refused')[0]).toMatchObject({ error: { message: expect.stringContaining('within 300 ms') } })
  },
)

test.concurrent('a handler that swallows the error of a statement does not get its event recorded', async (context) => {
  const t = await setUp(context)
  const handlers: Handlers<ShopEvents, pg.PoolClient> = {
    'order.paid': async ({ payload }, tx) => {
      await tx.query('INSERT INTO invoices VALUES ($1, $2)', [payload.order, payload.amount]).catch(() => {})
    },
  }
  t.run({ handlers })
  await t.send([paid('a'), paid('poison', { amount: -1 }), paid('b')])
  await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(1), patiently)
  expect(await t.invoices()).toEqual(['a', 'b'])
  expect(await t.recorded()).toBe(2)
})

test.concurrent('a bulk handler gets all new events of its type at once, in order for each key', async (context) => {
  const t = await setUp(context)
  const calls: string[][] = []
  const handlers: Handlers<ShopEvents, pg.PoolClient> = {
    'order.paid': {
      many: (events) => Promise.resolve(calls.push(events.map(({ key, sequence }) => `${key}/${sequence}`))),
    },
  }
  const lock = await t.pool.connect()
  await lock.query('BEGIN')
  await lock.query('LOCK TABLE inbox.handled_events')
  t.run({ handlers })
  await t.send([paid('x')])
  await vi.waitFor(async () => expect((await t.depth()).hidden).toBe(1), patiently)
  await t.send([paid('k', { sequence: '10' }), paid('k', { sequence: '9' }), paid('k', { sequence: '2' })])
  await vi.waitFor(async () => expect((await t.depth()).hidden).toBe(4), patiently)
  await lock.query('COMMIT')
  lock.release()
  await vi.waitFor(() => expect(t.reported('stored')).toHaveLength(4), patiently)
  expect(calls).toEqual([['x/1'], ['k/2', 'k/9', 'k/10']])
})

test.concurrent(
  'with ignoreStale an event is handled only if its sequence is above the last one of its key',
  async (context) => {
    const t = await setUp(context)
    const { handler, calls } = await count(t)
    t.run({ handlers: { 'order.paid': handler }, ignoreStale: true })
    await t.send([paid('k', { sequence: '3' })])
    await vi.waitFor(() => expect(t.reported('stored')).toHaveLength(1), patiently)
    const late = paid('k', { sequence: '2' })
    await t.send([late, paid('k', { sequence: '12' }), paid('other', { sequence: '1' })])
    await vi.waitFor(() => expect(t.reported('stored')).toHaveLength(3), patiently)
    await vi.waitFor(() => expect(t.reported('stale')).toMatchObject([{ event: { id: late.id } }]), patiently)
    expect((await calls()).map(({ sequence }) => sequence).toSorted()).toEqual(['1', '12', '3'])
  },
)

test.concurrent(
  'an event of a type without a handler is reported and deleted, whatever the type is called',
  async (context) => {
    const t = await setUp(context)
    t.run({ handlers: invoice })
    await t.send([
      { ...paid('a'), type: 'constructor' },
      { ...paid('b'), type: '__proto__' },
      cancelled('c'),
      paid('d'),
    ])
    await vi.waitFor(async () => expect(await t.depth()).toEqual({ visible: 0, hidden: 0 }), patiently)
    expect(t.reported('unhandled')).toHaveLength(3)
    expect(await t.invoices()).toEqual(['d'])
  },
)

test.concurrent(
  'what parse throws is the message’s failure if others can be parsed; else messages are held',
  async (context) => {
    const t = await setUp(context)
    let isBroken = true
    const parse: Options['parse'] = ({ Body = '' }) => {
      if (isBroken) throw new Error('a bug')
      const { id, type, subject, data } = JSON.parse(Body) as ReturnType<typeof paid>
      return { kind: 'event', event: { id, type: type as 'order.paid', key: subject.trim(), payload: data } }
    }
    const consumer = t.run({ handlers: invoice, parse })
    await t.send([paid('a')])
    await vi.waitFor(() => expect(consumer.failing()).toBe('parse: a bug'), patiently)
    isBroken = false
    await vi.waitFor(async () => expect(await t.invoices()).toEqual(['a']), patiently)
    await t.send(['no JSON', { ...paid('b'), subject: 7 }])
    await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(2), patiently)
    expect(consumer.failing()).toBeUndefined()
    expect(t.reported('back')).toHaveLength(1)
  },
)

test.concurrent.for<[string, object, string]>([
  ['an id of 256 characters', { id: 'x'.repeat(256) }, 'id has more than 255'],
  ['an id with U+0000', { id: 'a\u0000b' }, "id has characters that PostgreSQL can't store"],
  ['half of an emoji in its type', { type: 'order.\ud83d' }, 'type has characters'],
  ['a key of 256 characters', { subject: 'x'.repeat(256) }, 'key has more than 255'],
  ['no number as sequence', { sequence: '1.5' }, 'sequence must be'],
  ['an empty id', { id: '' }, 'id must be text'],
])('an event with %s is invalid, with the reason', async ([, change, reason], context) => {
  const t = await setUp(context, {})
  const consumer = t.consumer({ handlers: invoice })
  await t.send([{ ...paid('a'), ...change }])
  await vi.waitFor(async () => {
    await consumer.handleOnce()
    expect(t.reported('invalid')).toMatchObject([{ reason: expect.stringContaining(reason) }])
  }, patiently)
})

test.concurrent('a failure is forgotten when its message is handled at last', async (context) => {
  const t = await setUp(context)
  await t.pool.query('ALTER TABLE invoices ADD CHECK (amount < 100)')
  t.run({ handlers: invoice })
  await t.send([paid('big', { amount: 100 }), paid('a')])
  const failures = async () => (await t.pool.query('SELECT FROM inbox.failed_messages')).rowCount
  await vi.waitFor(async () => expect(await failures()).toBe(1), patiently)
  await t.pool.query('ALTER TABLE invoices DROP CONSTRAINT invoices_amount_check1')
  await vi.waitFor(async () => expect(await t.invoices()).toEqual(['a', 'big']), patiently)
  await vi.waitFor(async () => expect(await failures()).toBe(0), patiently)
})
