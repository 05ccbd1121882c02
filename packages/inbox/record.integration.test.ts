import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Entry } from './group-commit.ts'
import { lockSequences, record, saveSequences } from './record.ts'
import { testInbox, type TestInbox } from './testing/inbox.ts'

const target = { schema: 'inbox', consumer: 'billing' }

let t: TestInbox
beforeEach(async () => {
  t = await testInbox()
})
afterEach(() => t.close())

const entry = (id: string, content: string): Entry => ({
  message: {},
  event: { id, type: 'order.paid', key: 'order-7', sequence: '1', payload: null },
  content,
})

test('an event that is there already is a duplicate, and differs when its content does', async () => {
  const entries = [entry('a', '1'), entry('b', '2')]
  expect(await record(t.pool, target, entries)).toEqual([{ kind: 'new' }, { kind: 'new' }])
  expect(await record(t.pool, target, [entry('a', '1'), entry('b', '3'), entry('c', '4'), entry('c', '5')])).toEqual([
    { kind: 'duplicate', differs: false },
    { kind: 'duplicate', differs: true },
    { kind: 'new' },
    { kind: 'duplicate', differs: true },
  ])
})

test('a constraint of the owner of the table makes no duplicate: it is an error', async () => {
  await t.pool.query('CREATE UNIQUE INDEX one_content ON inbox.handled_events (content_hash)')
  await record(t.pool, target, [entry('a', '1')])
  await expect(record(t.pool, target, [entry('b', '1')])).rejects.toThrow('one_content')
})

test('the last sequence of a key never goes back, whoever saves an older one', async () => {
  const lastOf = async () => (await lockSequences(t.pool, target, [entry('a', '1')])).get('order-7')
  expect(await lastOf()).toBe(0n)
  for (const [saved, expected] of [
    [9n, 9n],
    [10n, 10n],
    [9n, 10n],
  ] as const) {
    await saveSequences(t.pool, target, new Map([['order-7', saved]]))
    expect(await lastOf()).toBe(expected)
  }
})
