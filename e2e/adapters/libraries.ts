import { EntitySchema, MikroORM } from '@mikro-orm/postgresql'
import { PrismaPg } from '@prisma/adapter-pg'
import knexOf from 'knex'
import pg from 'pg'
import pgPromiseOf from 'pg-promise'
import { Sequelize } from 'sequelize'
import { createPool } from 'slonik'
import { DataSource } from 'typeorm'
import { PrismaClient } from './dist/prisma/client.ts'

/** Each library on one database. */
export async function openLibraries(databaseUrl: string) {
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const knexDb = knexOf({ client: 'pg', connection: databaseUrl })
  const sequelizeDb = new Sequelize(databaseUrl, { logging: false })
  const dataSource = await new DataSource({ type: 'postgres', url: databaseUrl }).initialize()
  const Order = new EntitySchema<{ id: string }>({
    name: 'Order',
    properties: { id: { type: 'string', primary: true } },
  })
  const orm = await MikroORM.init({ clientUrl: databaseUrl, entities: [Order] })
  const pgPromiseDb = pgPromiseOf({ noWarnings: true })(databaseUrl)
  const slonikPool = await createPool(databaseUrl)
  const prismaClient = new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl }) })
  return {
    pool,
    knexDb,
    sequelizeDb,
    dataSource,
    orm,
    pgPromiseDb,
    slonikPool,
    prismaClient,
    async close() {
      await Promise.all([pool.end(), knexDb.destroy(), sequelizeDb.close(), dataSource.destroy(), orm.close()])
      await Promise.all([pgPromiseDb.$pool.end(), slonikPool.end(), prismaClient.$disconnect()])
    },
  }
}
