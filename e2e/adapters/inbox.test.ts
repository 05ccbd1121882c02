import { freshDatabase } from '../../local/index.ts'
import { createInbox, type LambdaEvent, type OtherDatabase, parseCloudEvent } from '../../packages/inbox/index.ts'
import {
  drizzle,
  knex,
  mikroOrm,
  pgPromise,
  prisma,
  sequelize,
  slonik,
  typeOrm,
} from '../../packages/outbox/adapters.ts'
import { paid, type ShopEvents } from '../../packages/inbox/testing/inbox.ts'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle as drizzleOf } from 'drizzle-orm/node-postgres'
import type { SqlEntityManager } from '@mikro-orm/postgresql'
import type { Knex } from 'knex'
import type pg from 'pg'
import type { ITask } from 'pg-promise'
import type { Transaction } from 'sequelize'
import type { DatabaseTransactionConnection } from 'slonik'
import type { EntityManager } from 'typeorm'
import type { Prisma } from './dist/prisma/client.ts'
import { sql as slonikSql } from 'slonik'
import { afterAll, expect, inject, test } from 'vitest'
import { openLibraries } from './libraries.ts'

const databaseUrl = await freshDatabase(inject('postgresUrl'))
const { pool, knexDb, sequelizeDb, dataSource, orm, pgPromiseDb, slonikPool, prismaClient, close } =
  await openLibraries(databaseUrl)
afterAll(close)

/** The library's transactions as an inbox takes them, and the handler's INSERT by the library's own means. */
interface Library<Tx> extends OtherDatabase<Tx> {
  insert: (tx: Tx, order: string, amount: number) => PromiseLike<unknown>
}
const library = <Tx>(of: Library<Tx>) => of as Library<any>
const INSERT = 'INSERT INTO invoices VALUES ($1, $2)'

const drizzleDb = drizzleOf(pool)
type DrizzleTransaction = Parameters<Parameters<typeof drizzleDb.transaction>[0]>[0]

const libraries: Record<string, Library<any>> = {
  Drizzle: library<DrizzleTransaction>({
    transaction: (work) => drizzleDb.transaction(work),
    sql: (tx) => drizzle(tx, drizzleSql),
    insert: (tx, order, amount) => tx.execute(drizzleSql`INSERT INTO invoices VALUES (${order}, ${amount})`),
  }),
  Knex: library<Knex.Transaction>({
    transaction: (work) => knexDb.transaction(work),
    sql: (trx) => knex(trx),
    insert: (trx, order_id, amount) => trx('invoices').insert({ order_id, amount }),
  }),
  Sequelize: library<Transaction>({
    transaction: (work) => sequelizeDb.transaction(work),
    sql: (tx) => sequelize(sequelizeDb, tx),
    insert: (transaction, ...bind) => sequelizeDb.query(INSERT, { bind, transaction }),
  }),
  TypeORM: library<EntityManager>({
    transaction: (work) => dataSource.transaction(work),
    sql: typeOrm,
    insert: (manager, ...values) => manager.query(INSERT, values),
  }),
  MikroORM: library<SqlEntityManager>({
    transaction: (work) => orm.em.fork().transactional(work),
    sql: mikroOrm,
    insert: (em, ...values) => em.execute('INSERT INTO invoices VALUES (?, ?)', values),
  }),
  'pg-promise': library<ITask<object>>({
    transaction: (work) => pgPromiseDb.tx(work),
    sql: pgPromise,
    insert: (t, ...values) => t.none(INSERT, values),
  }),
  Slonik: library<DatabaseTransactionConnection>({
    transaction: (work) => slonikPool.transaction(work),
    sql: (tx) => slonik(tx, slonikSql),
    insert: (tx, order, amount) => tx.query(slonikSql.unsafe`INSERT INTO invoices VALUES (${order}, ${amount})`),
  }),
  Prisma: library<Prisma.TransactionClient>({
    transaction: (work) => prismaClient.$transaction(work),
    sql: prisma,
    insert: (tx, order, amount) => tx.$executeRaw`INSERT INTO invoices VALUES (${order}, ${amount})`,
  }),
}

const batch = (of: string, ...bodies: object[]): LambdaEvent => ({
  Records: bodies.map((body, index) => ({ messageId: `${of} ${index}`, body: JSON.stringify(body) })),
})
const orders = async (db: pg.Pool) =>
  (await db.query<{ order_id: string }>('SELECT order_id FROM invoices ORDER BY 1')).rows.map((row) => row.order_id)

test.each(Object.entries(libraries))(
  'with the transactions of %s effect and record commit together, a failing event leaves no trace, duplicates and stale events change nothing',
  async (name, { insert, ...db }) => {
    await pool.query('DROP TABLE IF EXISTS invoices')
    await pool.query('CREATE TABLE invoices (order_id text PRIMARY KEY, amount integer CHECK (amount > 0))')
    const inbox = createInbox<ShopEvents>({ schema: 'inbox', consumer: name })
    await inbox.migrate(pool)
    const handler = inbox.lambdaHandler<unknown>({
      db,
      parse: parseCloudEvent,
      ignoreStale: true,
      handlers: { 'order.paid': async ({ payload }, tx) => insert(tx, payload.order, payload.amount) },
    })
    const first = paid("it's a ? $1", { sequence: '2' })
    const poison = paid('poison', { amount: -1 })
    expect(await handler(batch(name, first, first, paid('b'), poison))).toEqual({
      batchItemFailures: [{ itemIdentifier: `${name} 3` }],
    })
    expect(await handler(batch(name, first, paid("it's a ? $1", { sequence: '1' })))).toEqual({ batchItemFailures: [] })
    expect(await orders(pool)).toEqual(['b', "it's a ? $1"])
    const { rows } = await pool.query('SELECT reason FROM inbox.failed_messages WHERE consumer = $1', [name])
    expect(rows).toMatchObject([{ reason: expect.stringMatching(/invoices_amount_check|check integrity constraint/) }])
  },
)
