import { afterEach, beforeEach, expect, test } from 'vitest'
import { paid, testInbox, type TestInbox } from './testing/inbox.ts'

let t: TestInbox
beforeEach(async () => {
  t = await testInbox()
})
afterEach(() => t.close())

const patiently = { timeout: 50_000, interval: 20 }
const manyEvents = (count: number) => Array.from({ length: count }, (_, order) => paid(`${order}-${count}`))
const stored = async () => (await t.invoices()).length

/** Receivers of the consumer that makes an invoice of each paid order. */
function run(receivers?: number) {
  const consumer = t.consumer({
    receivers,
    handlers: {
      'order.paid': {
        many: (events, tx) =>
          tx.query('INSERT INTO invoices SELECT order_id, 1 FROM unnest($1::text[]) AS order_id', [
            events.map(({ payload }) => payload.order),
          ]),
      },
    },
  })
  return consumer.run(t.signal)
}

/** How many receives are under way, how many were at most, and how many of them SQS has. */
function watchReceives() {
  const receives = { now: 0, most: 0, atSqs: 0, outage: undefined as Promise<void> | undefined }
  t.sqs.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'ReceiveMessageCommand') return next(args)
        receives.now += 1
        receives.most = Math.max(receives.most, receives.now)
        try {
          if (!receives.outage) {
            receives.atSqs += 1
            return await next(args).finally(() => (receives.atSqs -= 1))
          }
          await receives.outage
          throw new Error('socket hang up')
        } finally {
          receives.now -= 1
        }
      },
    { name: 'watching receives', step: 'initialize' },
  )
  return receives
}

test('receivers become more with a backlog, never more than they may, and one again when there is nothing to do', async () => {
  const receives = watchReceives()
  await t.send(manyEvents(300))
  const running = run(5)
  await expect.poll(stored, patiently).toBe(300)
  expect(receives.most).toBeLessThanOrEqual(5)
  // All of them wait at the empty queue, and then all but one give up.
  await expect.poll(() => receives.most, patiently).toBe(5)
  await expect.poll(() => receives.now, patiently).toBe(1)

  await t.send(manyEvents(20))
  await expect.poll(stored, patiently).toBe(320)
  t.stop()
  await running
  expect(receives.now).toBe(0)
  expect(await t.depth()).toEqual({ visible: 0, hidden: 0 })
})

test('while one message is handled somebody waits for the next, however few they are', async () => {
  const receives = watchReceives()
  const running = run()
  const other = await t.pool.connect()
  await other.query('BEGIN')
  await other.query('LOCK TABLE invoices')
  await expect.poll(() => receives.now, patiently).toBe(1)
  await t.send(manyEvents(1))
  await expect.poll(async () => (await t.depth()).hidden, patiently).toBe(1)
  await expect.poll(() => receives.now, patiently).toBe(1)
  await other.query('COMMIT')
  other.release()
  t.stop()
  await running
  expect(await stored()).toBe(1)
})

test('of many receivers one goes on asking while SQS does not answer', async () => {
  const receives = watchReceives()
  await t.send(manyEvents(100))
  const running = run(8)
  await expect.poll(stored, patiently).toBeGreaterThan(0)
  let end = Promise.withResolvers<void>()
  receives.outage = end.promise
  // Several, on any machine: those that are not polling come to it when they have handled what they have.
  await expect.poll(() => receives.now, patiently).toBeGreaterThan(1)
  await expect.poll(async () => (await t.depth()).hidden, patiently).toBe(0)
  await expect.poll(() => receives.atSqs, patiently).toBe(0)
  for (let attempt = 1; attempt <= 3; attempt++) {
    const failed = end
    end = Promise.withResolvers()
    receives.outage = end.promise
    receives.most = 0
    failed.resolve()
    await expect.poll(() => receives.now + receives.most, patiently).toBe(2)
  }
  // Told once for each change of state: an answer to a delete that was still on its way is one.
  const told = (kind: 'away' | 'back') => t.reports.filter((one) => one.kind === kind && one.what === 'queue').length
  expect(told('away') - told('back')).toBe(1)
  receives.outage = undefined
  end.resolve()
  await t.send(manyEvents(10))
  await expect.poll(stored, patiently).toBe(110)
  t.stop()
  await running
})
