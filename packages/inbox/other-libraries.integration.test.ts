import { CompiledQuery, Kysely, PostgresDialect, type Transaction } from 'kysely'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createInbox, type InboxEvent, type OtherDatabase, parseCloudEvent } from './index.ts'
import { paid, type ShopEvents, testInbox, type TestInbox } from './testing/inbox.ts'

let t: TestInbox
let sql: postgres.Sql
let kysely: Kysely<any>
beforeEach(async () => {
  t = await testInbox({ visibilityTimeoutSeconds: 1 })
  sql = postgres(t.databaseUrl, { max: 4, onnotice: () => {} })
  kysely = new Kysely({ dialect: new PostgresDialect({ pool: t.pool }) })
})
afterEach(async () => {
  await sql.end()
  await t.close()
})

const patiently = { timeout: 25_000, interval: 50 }

const postgresJs = (): OtherDatabase<postgres.TransactionSql> => ({
  transaction: (work) => sql.begin(work) as never,
  sql: (tx) => ({ query: (text, values) => tx.unsafe(text, values as string[]) }),
})
const ofKysely = (): OtherDatabase<Transaction<any>> => ({
  transaction: (work) => kysely.transaction().execute(work),
  sql: (tx) => ({ query: (text, values) => tx.executeQuery(CompiledQuery.raw(text, values)) }),
})

/** A consumer with handlers of one library; `insert` is how it makes an invoice. */
function consumer<Tx>(db: OtherDatabase<Tx>, insert: (tx: Tx, order: string, amount: number) => Promise<unknown>) {
  const inbox = createInbox<ShopEvents>({ consumer: 'billing' })
  const pay = ({ payload }: InboxEvent<string, ShopEvents['order.paid']>, tx: Tx) =>
    insert(tx, payload.order, payload.amount)
  return inbox.createConsumer<Tx>({
    db,
    sqs: t.sqs,
    queueUrl: t.queue.url,
    parse: parseCloudEvent,
    handlers: { 'order.paid': pay },
    ignoreStale: true,
    report: (report) => void t.reports.push(report),
  })
}

const consumers = {
  'postgres.js': () =>
    consumer(postgresJs(), (tx, order, amount) => tx`INSERT INTO invoices VALUES (${order}, ${amount})`),
  Kysely: () =>
    consumer(ofKysely(), (tx, order, amount) =>
      tx.insertInto('invoices').values({ order_id: order, amount }).execute(),
    ),
}

describe.each(Object.entries(consumers))('with the transactions of %s', (_library, create) => {
  test('effect and record commit together, a failing event leaves no trace, and duplicates and stale events change nothing', async () => {
    const running = create().run(t.signal)
    const event = paid('a', { sequence: '2' })
    const stale = paid('a', { sequence: '1' })
    await t.send([event, event, paid('b'), paid('poison', { amount: -1 })])
    await vi.waitFor(async () => expect(await t.invoices()).toEqual(['a', 'b']), patiently)
    await t.send([stale])
    await vi.waitFor(() => expect(t.reported('stale')).toHaveLength(1), patiently)
    await vi.waitFor(async () => expect(await t.deadLetters()).toHaveLength(1), patiently)
    expect(t.reported('duplicate')).toHaveLength(1)
    expect(await t.invoices()).toEqual(['a', 'b'])
    expect(await t.recorded()).toBe(3)
    const { rows } = await t.pool.query('SELECT reason FROM inbox.failed_messages')
    expect(rows).toMatchObject([{ reason: expect.stringContaining('invoices_amount_check') }])
    t.stop()
    await running
  })
})
