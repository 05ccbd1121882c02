import { DeleteQueueCommand } from '@aws-sdk/client-sqs'
import { connect } from '@product-events/database'
import { append } from '@product-events/outbox'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { findQueues } from '../../queues.ts'
import { freshSources } from '../../testing/databases.ts'
import { countNotified, countWritten, createHistory } from './history.ts'
import { readNotifications, readProducts } from './sides.ts'

let sources: Awaited<ReturnType<typeof freshSources>>
beforeAll(async () => {
  sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
})
afterAll(() => sources.close())

/** A pool whose sessions find other tables than ours first, empty ones. */
async function misled(databaseUrl: string, tables: readonly string[]) {
  const open = () => connect({ databaseUrl, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
  const admin = open()
  const name = new URL(databaseUrl).pathname.slice(1)
  await admin.query(`CREATE SCHEMA elsewhere; ${tables.map((table) => `CREATE TABLE elsewhere.${table} ()`).join(';')}`)
  await admin.query(`ALTER DATABASE ${name} SET search_path = elsewhere`)
  await admin.end()
  return open()
}

test('the console reads the tables of the services, whatever the search_path of the database is', async () => {
  await append(sources.products, [{ key: 'p1', type: 'product.created', payload: { sequence: '1' } }])
  const outboxTables = ['events', 'outbox_lanes', 'outbox_relays']
  const products = await misled(sources.productsUrl, [...outboxTables, 'products'])
  const notifications = await misled(sources.notificationsUrl, [...outboxTables, 'notifications', 'failed_messages'])
  const written = createHistory((from, after) => countWritten(products, from, after))
  const notified = createHistory((from, after) => countNotified(notifications, from, after))
  expect((await readProducts(products, written)).events).toHaveLength(1)
  expect(await readNotifications(notifications, notified, Promise.resolve([]))).toMatchObject({ failing: [] })
  await Promise.all([products.end(), notifications.end()])
})

test('a missing queue is named, and so is a missing dead-letter queue', async () => {
  const { sqs, queue } = sources
  const named = findQueues(sqs, { queueName: 'no-such-queue', queueUrl: undefined })
  await expect(named).rejects.toThrow('there is no queue no-such-queue')
  const { deadLetterUrl } = await sources.queues()
  await sqs.send(new DeleteQueueCommand({ QueueUrl: deadLetterUrl }))
  const found = findQueues(sqs, { queueName: queue.name, queueUrl: queue.url })
  await expect(found).rejects.toThrow(`there is no dead-letter queue ${queue.name}-dlq`)
})
