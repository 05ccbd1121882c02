import { randomUUIDv7 } from 'node:crypto'
import { freePort } from '@product-events/local'
import { append } from '@product-events/outbox'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startCommand, variablesFor } from './testing/commands.ts'
import { freshSources } from './testing/databases.ts'

const TABLES = ['events', 'outbox_lanes', 'outbox_relays', 'products', 'notifications', 'failed_messages']
/** What a database may set for every session, and each of them once broke somebody's code. */
const SETTINGS = [
  'search_path = elsewhere',
  "datestyle = 'German'",
  "intervalstyle = 'sql_standard'",
  "timezone = 'Asia/Kolkata'",
  'extra_float_digits = -15',
  'standard_conforming_strings = off',
  "default_transaction_isolation = 'serializable'",
]
const productId = randomUUIDv7()

let sources: Awaited<ReturnType<typeof freshSources>>
let env: Record<string, string>
beforeAll(async () => {
  sources = await freshSources(inject('postgresUrl'), inject('sqsEndpoint'))
  const nobody = `http://127.0.0.1:${await freePort()}`
  env = {
    ...variablesFor(sources, inject('sqsEndpoint')),
    PRODUCT_SERVICE_OPERATIONS_URL: nobody,
    NOTIFICATION_SERVICE_OPERATIONS_URL: nobody,
  }
})
afterAll(() => sources.close())

/** Every command that reads the databases, its words without its numbers: they grow while the test runs. */
async function answers(): Promise<string[]> {
  const commands = [
    startCommand('status', [], env),
    startCommand('find', [productId], env),
    startCommand('outbox', ['list', '--status', 'dead'], env),
    startCommand('outbox', ['show', productId], env),
    startCommand('inbox', ['list', '--fresh'], env),
  ]
  const ended = await Promise.all(commands.map((command) => command.ended))
  return ended.map(({ code, stdout, stderr }) =>
    `${code}\n${stdout}\n${stderr}`
      .replaceAll(/\d[\d.]*/g, 'n')
      .replaceAll(/\bn (ms|s|min)\b/g, 'n')
      .replaceAll(/\s+/g, ' '),
  )
}

test('the commands answer alike, whatever settings the databases have for every session', async () => {
  const event = (payload: object) => ({ id: randomUUIDv7(), key: productId, type: 'product.created', payload })
  await append(sources.products, [event({ sequence: '1' }), event({ sequence: '2' })])
  await sources.products.query(`UPDATE public.events SET status = 'dead', last_error = 'refused' WHERE id = 1`)
  await sources.notifications.query(
    `INSERT INTO public.failed_messages (message_id, event_id, reason, failures, first_failed_at)
     VALUES ($1, $2, 'value too long', 2, clock_timestamp() - interval '3 minutes')`,
    [randomUUIDv7(), randomUUIDv7()],
  )
  const before = await answers()
  for (const connectionString of [sources.productsUrl, sources.notificationsUrl]) {
    const admin = new pg.Client({ connectionString })
    await admin.connect()
    const name = new URL(connectionString).pathname.slice(1)
    await admin.query(
      `CREATE SCHEMA elsewhere; ${TABLES.map((table) => `CREATE TABLE elsewhere.${table} ()`).join(';')}`,
    )
    for (const setting of SETTINGS) await admin.query(`ALTER DATABASE ${name} SET ${setting}`)
    await admin.end()
  }
  expect(await answers()).toEqual(before)
  expect(before.join()).toMatch(/n dead event: refused[^]*value too long/)
})
