import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest'
import { append, createRelay } from '../index.ts'
import { newEvent, statuses, testBroker } from '../testing/outbox.ts'
import { commandForTest } from './testing/command.ts'

let command: Awaited<ReturnType<typeof commandForTest>>
beforeAll(async () => {
  command = await commandForTest(inject('postgresUrl'))
})
beforeEach(() => command.empty())
afterAll(() => command.db.end())

test('an event that SQS can never accept is not redriven, with the reason', async () => {
  const { db, outbox } = command
  await append(db, [newEvent('a', { text: 'x'.repeat(1_100_000) }), newEvent('b')])
  await db.query(`UPDATE events SET status = 'dead'`)
  const named = await outbox('redrive 1 2')
  expect(named).toMatchObject({ code: 1, stdout: '' })
  expect(named.stderr).toMatch(/event 1 can never be published: too large: 11\d+ bytes.*\nNothing was redriven\./)
  expect(await statuses(db)).toEqual({ dead: 2 })
  const all = await outbox('redrive --all')
  expect(all.stdout).toMatch(/Left dead[^]*1 +too large[^]*1 event redriven\./)
  expect(await statuses(db)).toEqual({ dead: 1, pending: 1 })
})

test('redrive sets a dead event to pending with all its attempts, records who and when, and a relay sends it', async () => {
  const { db, outbox, given } = command
  const [, second] = await given(['a', 'b'], [1, 2])
  const { code, stdout } = await outbox(`redrive 1 ${second!.id} --by ann`)
  expect(code).toBe(0)
  expect(stdout).toContain('2 events redriven. Relays find them at their next poll.')
  const { rows } = await db.query(
    `SELECT status, attempts, redriven_count, redriven_by, redriven_at > clock_timestamp() - interval '1 minute' AS just_now
     FROM events`,
  )
  const record = { status: 'pending', attempts: 0, redriven_count: 1, redriven_by: 'ann', just_now: true }
  expect(rows).toEqual([record, record])
  const broker = testBroker()
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  await relay.release()
  expect(broker.accepted.map(({ id, attempts }) => `${id}: ${attempts}`).toSorted()).toEqual(['1: 0', '2: 0'])
})

test('without --by the record names user and machine', async () => {
  const { db, outbox, given } = command
  await given(['a'], [1])
  await outbox('redrive 1')
  const { rows } = await db.query<{ redriven_by: string }>('SELECT redriven_by FROM events')
  expect(rows[0]!.redriven_by).toMatch(/^.+@.+$/)
})

test('a redriven event goes before younger ones of its key that wait; after how many sent ones it comes is told', async () => {
  const { db, outbox, json, given } = command
  await given(['a', 'b', 'a', 'b', 'a', 'a', 'b'], [1, 2])
  await db.query(`UPDATE events SET status = 'processed', processed_at = clock_timestamp() WHERE id IN (3, 5)`)
  const { stdout } = await outbox('redrive --all --dry-run')
  expect(stdout).toMatch(/1 +after 2 younger events of its key\n2 +in the order of its key\n/)
  expect(stdout).toContain('2 events would be redriven. Nothing was done.')
  expect(await statuses(db)).toMatchObject({ dead: 2 })

  expect(await json('redrive --all')).toEqual({
    dry_run: false,
    interrupted: false,
    redriven: 2,
    events: [
      { id: '1', after_younger: 2 },
      { id: '2', after_younger: 0 },
    ],
    never_accepted: [],
  })
  const broker = testBroker()
  const relay = createRelay({ db, send: broker.send })
  await relay.drainOnce()
  await relay.release()
  const sent = (key: string) => broker.accepted.filter((event) => event.key === key).map(({ id }) => id)
  expect(sent('a')).toEqual(['1', '6'])
  expect(sent('b')).toEqual(['2', '4', '7'])
})

test('nothing is redriven when one of the ids is not there or not dead, and each of these is told', async () => {
  const { db, outbox, given } = command
  await given(['a', 'b'], [1])
  const { code, stdout, stderr } = await outbox('redrive 1 2 7')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain('there is no event 7\nevent 2 is pending, and only dead events can be redriven')
  expect(await statuses(db)).toEqual({ pending: 1, dead: 1 })
})

test('redrive --all without dead events is done at once', async () => {
  const { outbox } = command
  expect(await outbox('redrive --all')).toMatchObject({ code: 0, stdout: '0 events redriven.\n' })
})

test('with a rate events are spread, and a stop comes between two of them: the rest stays dead', async () => {
  const { db, outbox, given } = command
  await given(
    Array.from({ length: 40 }, (_, n) => `key-${n}`),
    Array.from({ length: 40 }, (_, n) => n + 1),
  )
  const stop = new AbortController()
  const running = outbox('redrive --all --rate 100 --json', { signal: stop.signal })
  await expect.poll(() => statuses(db), { interval: 20 }).toHaveProperty('pending')
  stop.abort()
  const { code, stdout } = await running
  const { redriven, interrupted } = JSON.parse(stdout) as { redriven: number; interrupted: boolean }
  expect({ code, interrupted }).toEqual({ code: 130, interrupted: true })
  expect(redriven % 10).toBe(0)
  expect(redriven).toBeLessThan(40)
  expect(await statuses(db)).toEqual({ pending: redriven, dead: 40 - redriven })

  const start = performance.now()
  expect(await outbox('redrive --all --rate 100')).toMatchObject({ code: 0 })
  expect(performance.now() - start).toBeGreaterThan(((40 - redriven - 10) / 100) * 1_000 - 5)
  expect(await statuses(db)).toEqual({ pending: 40 })
})
