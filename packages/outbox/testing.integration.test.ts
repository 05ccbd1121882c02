import { AssertionError } from 'node:assert'
import { transaction } from '@product-events/database'
import type pg from 'pg'
import { afterAll, beforeEach, expect, inject, test } from 'vitest'
import { createOutbox } from './index.ts'
import { createMemoryBroker, drainAll, dumpEvents, expectEvents } from './testing.ts'
import { freshOutbox } from './testing/outbox.ts'

let db: pg.Pool
const outbox = createOutbox({ schema: 'public' })
const schema = 'public'
const event = (key: string, payload: unknown = { n: 1 }) => ({ key, type: 'order.paid', payload })
const pools: pg.Pool[] = []
beforeEach(async () => {
  db = await freshOutbox(inject('postgresUrl'))
  pools.push(db)
})
afterAll(() => Promise.all(pools.map((pool) => pool.end())))

test('events are expected by the fields that are named, in a transaction that nobody else sees', async () => {
  await transaction(db, async (tx) => {
    await expectEvents(tx, [], { schema })
    await outbox.append(tx, [event('a'), { ...event('b', null), headers: { traceparent: '00-1' } }])
    await expectEvents(
      tx,
      [
        { key: 'a', payload: { n: 1 } },
        { type: 'order.paid', headers: { traceparent: '00-1' } },
      ],
      { schema },
    )
    await expect(expectEvents(db, [], { schema })).resolves.toBeUndefined()
  })
  expect(await dumpEvents(db, { schema })).toContain('pending order.paid b attempts 0 null')
})

test.each([
  ['one is missing', [{ key: 'a' }]],
  ['one too many is expected', [{ key: 'a' }, { key: 'b' }, { key: 'c' }]],
  ['the order is another', [{ key: 'b' }, { key: 'a' }]],
  ['a payload differs', [{ key: 'a' }, { payload: { n: 2 } }]],
])('when %s, the assertion fails with a dump of the outbox', async (_, expected) => {
  await transaction(db, (tx) => outbox.append(tx, [event('a'), event('b')]))
  const error = await expectEvents(db, expected, { schema }).catch((error: Error) => error)
  expect(error).toBeInstanceOf(AssertionError)
  expect((error as Error).message).toContain('pending order.paid b attempts 0 {"n":1}')
})

test('all events are published in order for each key, the lanes are free afterwards, and refusals are shown', async () => {
  const broker = createMemoryBroker({
    judge: ({ key }) => (key === 'bad' ? { kind: 'unacceptable', reason: 'no such topic' } : undefined),
  })
  const relay = () => outbox.createRelay({ db, send: broker.send })
  await transaction(db, (tx) => outbox.append(tx, [event('a', 1), event('bad'), event('a', 2), event('b', 3)]))
  expect(await drainAll(relay())).toMatchObject({ published: 3, dead: 1 })
  const ofA = broker.published().filter(({ key }) => key === 'a')
  expect(ofA).toEqual([1, 2].map((payload) => ({ id: expect.any(String), headers: {}, ...event('a', payload) })))
  expect(await dumpEvents(db, { schema })).toContain('dead order.paid bad attempts 1 {"n":1}: no such topic')

  broker.clear()
  await transaction(db, (tx) => outbox.append(tx, [event('c'), event('d'), event('e'), event('f')]))
  expect(await drainAll(relay()), 'another relay has all lanes at once').toMatchObject({ published: 4 })
  expect(broker.published()).toHaveLength(4)
  expect(await drainAll(relay())).toEqual({ claimed: 0, published: 0, failed: 0, dead: 0 })
})

test('an outage of the broker is an error of the drain, and the events stay pending', async () => {
  const broker = createMemoryBroker({
    judge() {
      throw new Error('unreachable')
    },
  })
  await transaction(db, (tx) => outbox.append(tx, [event('a')]))
  await expect(drainAll(outbox.createRelay({ db, send: broker.send }))).rejects.toThrow('an outage: unreachable')
  expect(await dumpEvents(db, { schema })).toContain('pending order.paid a attempts 0')
})
