import type pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Handlers, type LambdaEvent, parseCloudEvent } from './index.ts'
import { paid, type ShopEvents, testInbox, type TestInbox } from './testing/inbox.ts'

let t: TestInbox
beforeEach(async () => {
  t = await testInbox()
})
afterEach(() => t.close())

const handlers: Handlers<ShopEvents, pg.PoolClient> = {
  'order.paid': ({ payload }, tx) => tx.query('INSERT INTO invoices VALUES ($1, $2)', [payload.order, payload.amount]),
}
const lambda = () => t.inbox.lambdaHandler<pg.PoolClient>({ db: t.pool, parse: parseCloudEvent, handlers })

/** A batch as AWS Lambda brings it: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
const batch = (...bodies: unknown[]): LambdaEvent => ({
  Records: bodies.map((body, index) => ({
    messageId: `message-${index}`,
    receiptHandle: 'handle',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1545082649183' },
    messageAttributes: { type: { stringValue: 'order.paid', dataType: 'String' } },
  })),
})
const within = (ms: number) => ({ getRemainingTimeInMillis: () => ms })
const failures = (answer: { batchItemFailures: { itemIdentifier: string }[] }) =>
  answer.batchItemFailures.map((failure) => failure.itemIdentifier)

test('only the messages that failed are returned; the others are handled once, also when the batch comes again', async () => {
  const handler = lambda()
  const events = [paid('a'), 'no event', paid('poison', { amount: -1 }), paid('b')]
  expect(failures(await handler(batch(...events), within(10_000)))).toEqual(['message-1', 'message-2'])
  expect(failures(await handler(batch(...events), within(10_000)))).toEqual(['message-1', 'message-2'])
  expect(await t.invoices()).toEqual(['a', 'b'])
})

test('while the database is unreachable it waits, and returns all messages only when its time is nearly over', async () => {
  await t.pool.query('ALTER TABLE inbox.handled_events RENAME TO away')
  const handler = lambda()
  expect(failures(await handler(batch(paid('a'), paid('b')), within(2_500)))).toEqual(['message-0', 'message-1'])
  const patient = handler(batch(paid('a'), paid('b')), within(30_000))
  await t.pool.query('ALTER TABLE inbox.away RENAME TO handled_events')
  expect(failures(await patient)).toEqual([])
  expect(await t.invoices()).toEqual(['a', 'b'])
})
