import { sql as slonikSql } from 'slonik'
import { afterAll, expect, inject, test } from 'vitest'
import { freshDatabase } from '../../local/index.ts'
import { knex, mikroOrm, pgPromise, prisma, sequelize, slonik, typeOrm } from '../../packages/outbox/adapters.ts'
import { createOutbox, outboxMigrations } from '../../packages/outbox/index.ts'
import { testAdapters } from '../../packages/outbox/testing/adapter-suite.ts'
import { openLibraries } from './libraries.ts'

const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
const { pool, knexDb, sequelizeDb, dataSource, orm, pgPromiseDb, slonikPool, prismaClient, close } =
  await openLibraries(databaseUrl)
afterAll(close)

testAdapters(
  {
    Knex: (work) => knexDb.transaction((trx) => work(knex(trx))),
    Sequelize: (work) => sequelizeDb.transaction((transaction) => work(sequelize(sequelizeDb, transaction))),
    'an EntityManager of TypeORM': (work) => dataSource.transaction((manager) => work(typeOrm(manager))),
    'a QueryRunner of TypeORM': async (work) => {
      const runner = dataSource.createQueryRunner()
      await runner.startTransaction()
      try {
        await work(typeOrm(runner))
        await runner.commitTransaction()
      } catch (error) {
        await runner.rollbackTransaction()
        throw error
      } finally {
        await runner.release()
      }
    },
    MikroORM: (work) => orm.em.fork().transactional((em) => work(mikroOrm(em))),
    'pg-promise': (work) => pgPromiseDb.tx((t) => work(pgPromise(t))),
    Slonik: (work) => slonikPool.transaction((tx) => work(slonik(tx, slonikSql))),
    Prisma: (work) => prismaClient.$transaction((tx) => work(prisma(tx))),
  },
  () => pool,
)

const outbox = createOutbox({ schema: 'public' })

test('a handle that would write outside the transaction does not compile', () => {
  const mistakes = async () => {
    // @ts-expect-error Knex itself
    knex(knexDb)
    // @ts-expect-error
    sequelize(sequelizeDb)
    // @ts-expect-error
    typeOrm(dataSource)
    // @ts-expect-error
    pgPromise(pgPromiseDb)
    // @ts-expect-error
    slonik(slonikPool, slonikSql)
    // @ts-expect-error
    prisma(prismaClient)
    // @ts-expect-error
    mikroOrm(orm)
    // Without an adapter neither the right handle nor a wrong one compiles.
    // @ts-expect-error
    await knexDb.transaction((trx) => outbox.append(trx, []))
    // @ts-expect-error
    await outbox.append(sequelizeDb, [])
    // @ts-expect-error
    await outbox.append(dataSource, [])
    // @ts-expect-error
    await outbox.append(dataSource.manager, [])
    // @ts-expect-error
    await outbox.append(pgPromiseDb, [])
    // @ts-expect-error
    await outbox.append(slonikPool, [])
  }
  expect(mistakes).toBeTypeOf('function')
})

test('where the types are those of an open transaction, its absence is an error before anything is written', async () => {
  const event = { key: 'a', type: 'x', payload: 1 }
  const runner = dataSource.createQueryRunner()
  for (const tx of [typeOrm(dataSource.manager), typeOrm(runner), mikroOrm(orm.em.fork())])
    await expect(outbox.append(tx, [event])).rejects.toThrow('needs an open transaction')
  await runner.release()
  await pgPromiseDb.task(async (task) => {
    await expect(outbox.append(pgPromise(task), [event])).rejects.toThrow('pgPromise() needs an open transaction')
  })
  expect((await pool.query('SELECT FROM events')).rowCount).toBe(0)
})
