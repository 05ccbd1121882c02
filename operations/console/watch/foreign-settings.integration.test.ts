import { connect } from '@product-events/database'
import { append } from '@product-events/outbox'
import { expect, inject, onTestFinished, test } from 'vitest'
import { freshSources } from '../../testing/databases.ts'
import { countNotified, countWritten, createHistory } from './history.ts'
import { readNotifications, readProducts } from './sides.ts'

/** A pool whose sessions find other tables than ours first, empty ones. */
async function misled(databaseUrl: string, tables: readonly string[]) {
  const open = () => connect({ databaseUrl, applicationName: 'test', maxConnections: 1, onIdleError: () => {} })
  const admin = open()
  const name = new URL(databaseUrl).pathname.slice(1)
  await admin.query(`CREATE SCHEMA elsewhere; ${tables.map((table) => `CREATE TABLE elsewhere.${table} ()`).join(';')}`)
  await admin.query(`ALTER DATABASE ${name} SET search_path = elsewhere`)
  await admin.end()
  const pool = open()
  onTestFinished(() => pool.end())
  return pool
}

test('the console reads the tables of the services, whatever search_path their databases set', async () => {
  const sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
  onTestFinished(sources.close)
  await append(sources.products, [{ key: 'p1', type: 'product.created', payload: { sequence: '1' } }])
  const outboxTables = ['events', 'outbox_lanes', 'outbox_relays']
  const products = await misled(sources.productsUrl, [...outboxTables, 'products'])
  const notifications = await misled(sources.notificationsUrl, [...outboxTables, 'notifications', 'failed_messages'])
  const written = createHistory((from, after) => countWritten(products, from, after))
  const notified = createHistory((from, after) => countNotified(notifications, from, after))
  expect((await readProducts(products, written)).events).toHaveLength(1)
  expect(await readNotifications(notifications, notified, Promise.resolve([]))).toMatchObject({ failing: [] })
})
