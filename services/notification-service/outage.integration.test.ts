import { DeleteMessageCommand, type Message } from '@aws-sdk/client-sqs'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
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

/** SQS answers deletes with what `answer` gives, and deletes nothing, until the returned function is called. */
function failDeletes(answer: () => object): () => void {
  let failing = true
  t.sqs.middlewareStack.add(
    (next, { commandName }) =>
      async (args) =>
        failing && commandName === 'DeleteMessageBatchCommand'
          ? { output: answer() as never, response: {} }
          : next(args),
    { name: 'failing deletes', step: 'initialize' },
  )
  return () => void (failing = false)
}

/** How many commands of that name were sent from now on. */
function count(command: string): () => number {
  let sent = 0
  t.sqs.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === command) sent += 1
        return next(args)
      },
    { name: `counting ${command}`, step: 'initialize' },
  )
  return () => sent
}

test('a message that SQS did not delete comes again, and is a duplicate', async () => {
  const events = [testEvent(), testEvent()]
  await t.send(events)
  const forget = failDeletes(() => ({ Failed: [{ Id: '0', SenderFault: false, Code: 'InternalError' }] }))
  await t.handleUntil(async () => t.logged('handled messages were not deleted').length > 0)
  forget()
  await t.handleUntil(t.queueIsEmpty)

  expect(await t.notifications()).toHaveLength(2)
  expect(await t.metric('notifications_total')).toContain('notifications_total{type="product.created"} 2')
  const [line] = t.logged('handled messages were not deleted')
  expect(line).toMatchObject({
    entries: expect.arrayContaining([expect.objectContaining({ reason: 'InternalError' })]),
  })
  expect((await t.metric('notifications_duplicates_total'))[0]).not.toBe('notifications_duplicates_total 0')
})

test('when the answer to a delete is lost, its messages come again, are duplicates, and the outage is known', async () => {
  await t.send([testEvent()])
  const forget = failDeletes(() => {
    throw new Error('socket hang up')
  })
  await t.handleOnce()
  forget()
  expect(t.logged('SQS does not answer')).toMatchObject([{ reason: 'socket hang up' }])
  await t.handleUntil(t.queueIsEmpty)

  expect(t.logged('SQS answers again')).toHaveLength(1)
  expect(await t.notifications()).toHaveLength(1)
  expect(await t.metric('notifications_duplicates_total')).toEqual(['notifications_duplicates_total 1'])
})

test('while the database is away messages are held, hidden and uncounted, and stored when it is back', async () => {
  const event = testEvent()
  await t.pool.query('ALTER TABLE notifications RENAME TO away')
  await t.send([event])
  const extensions = count('ChangeMessageVisibilityBatchCommand')
  const received = t.handleOnce()

  // Three of them in a visibility timeout: without any, the message would have come back by the fifth.
  await vi.waitFor(() => expect(extensions()).toBe(5), { timeout: 5_000 })
  expect(await t.depth()).toEqual({ visible: 0, hidden: 1 })
  expect(t.logged('the database stores nothing')).toHaveLength(1)

  await t.pool.query('ALTER TABLE away RENAME TO notifications')
  await received
  expect(await t.notifications()).toMatchObject([{ event_id: event.id }])
  expect(t.logged('the database stores again')).toHaveLength(1)
  expect(await t.depth()).toEqual({ visible: 0, hidden: 0 })
})

test('told to stop while the database is away, it gives the messages in hand back', async () => {
  await t.pool.query('ALTER TABLE notifications RENAME TO away')
  await t.send([testEvent()])
  const received = t.handleOnce()
  await vi.waitFor(() => expect(t.logged('the database stores nothing')).toHaveLength(1), { timeout: 5_000 })
  t.stop()
  await received
  expect(await t.receivable()).toBe(1)
})

test('a message that is gone from the queue is given up, which is logged once, and the others are kept hidden', async () => {
  const received: Message[] = []
  t.sqs.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      received.push(...((result.output as { Messages?: Message[] }).Messages ?? []))
      return result
    },
    { name: 'keeping messages', step: 'initialize' },
  )
  await t.pool.query('ALTER TABLE notifications RENAME TO away')
  await t.send([testEvent(), testEvent()])
  const extensions = count('ChangeMessageVisibilityBatchCommand')
  const running = t.run()
  await vi.waitFor(() => expect(received).toHaveLength(2), { timeout: 10_000 })
  const [gone] = received
  await t.sqs.send(new DeleteMessageCommand({ QueueUrl: t.queueUrl, ReceiptHandle: gone?.ReceiptHandle }))

  await vi.waitFor(() => expect(extensions()).toBeGreaterThan(8), { timeout: 10_000 })
  // On a busy machine an extension may come late once, and its message be visible until the next.
  await vi.waitFor(async () => expect(await t.depth()).toEqual({ visible: 0, hidden: 1 }), { timeout: 10_000 })
  const lines = t.logged('messages in work could not be kept hidden')
  expect(lines).toMatchObject([{ entries: [{ message_id: gone?.MessageId }] }])
  await t.pool.query('ALTER TABLE away RENAME TO notifications')
  await vi.waitFor(async () => expect(await t.notifications()).toHaveLength(2), { timeout: 10_000 })
  t.stop()
  await running
})
