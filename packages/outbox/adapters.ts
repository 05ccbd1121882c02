import type { ClientConfig } from 'pg'
import type { Rows } from './database.ts'
import type { Listen } from './listen.ts'
import { type Tag, tagged, withQuestionMarks } from './placeholders.ts'

/**
 * The open transaction of another library, as `append` takes it. Statements run on the transaction's connection and
 * resolve with their rows. Each adapter names the little that it needs of a library's transaction as a type of its own,
 * so a pool or another handle that would write outside the transaction does not compile.
 */
export interface AdaptedTransaction {
  query<Row extends { [column: string]: any }>(text: string, values: unknown[]): Promise<Rows<Row>>
}

/** postgres.js: the `sql` that `sql.begin` hands over. */
export function postgresJs(tx: { unsafe: Unsafe; savepoint: Exists }): AdaptedTransaction {
  return adapted((text, values) => tx.unsafe(text, values as any[]))
}

/** postgres.js: its pool, as a relay's `db`. Each statement is a transaction of its own. */
export function postgresJsPool(sql: { unsafe: Unsafe; begin: Exists }): AdaptedTransaction {
  return adapted((text, values) => sql.unsafe(text, values as any[]))
}

/** Kysely: the transaction, and the `sql` of `kysely`. */
export function kysely(
  tx: { readonly isTransaction: true },
  sql: Tag<{ execute(tx: any): Promise<Rows<unknown>> }>,
): AdaptedTransaction {
  return adapted((text, values) => tagged(sql, text, values).execute(tx))
}

/** Drizzle on `pg` or postgres.js: the transaction, and the `sql` of `drizzle-orm`. */
export function drizzle<Query>(
  tx: { execute(query: Query): PromiseLike<unknown>; rollback(): never },
  sql: Tag<Query>,
): AdaptedTransaction {
  return adapted((text, values) => tx.execute(tagged(sql, text, values)))
}

/** Knex: the transaction. */
export function knex(tx: {
  raw(text: string, values: any): PromiseLike<any>
  isCompleted: Exists
}): AdaptedTransaction {
  return adapted((text, values) => {
    const placed = withQuestionMarks(text, values)
    return tx.raw(placed.text, placed.values)
  })
}

/** Prisma: the client that an interactive `$transaction` hands over. */
export function prisma(tx: {
  $queryRawUnsafe(text: string, ...values: any[]): PromiseLike<unknown>
  $connect?: never
}): AdaptedTransaction {
  return adapted((text, values) => tx.$queryRawUnsafe(text, ...values))
}

/** TypeORM: the `EntityManager` that `transaction` hands over, or a `QueryRunner` with a transaction. */
export function typeOrm(tx: TypeOrmManager | TypeOrmRunner): AdaptedTransaction {
  return adapted((text, values) => {
    const runner = 'isTransactionActive' in tx ? tx : tx.queryRunner
    if (runner?.isTransactionActive !== true) throw notOpen('typeOrm')
    return runner.query(text, values)
  })
}

interface TypeOrmRunner {
  readonly isTransactionActive: boolean
  query(text: string, values?: any[]): Promise<any>
}
interface TypeOrmManager {
  readonly queryRunner?: TypeOrmRunner
  getRepository: Exists
  /** A `DataSource` has it. */
  readonly manager?: never
}

/** MikroORM on PostgreSQL: the entity manager that `transactional` hands over, or one after `begin`. */
export function mikroOrm(em: {
  execute(text: string, values?: any[]): Promise<unknown>
  isInTransaction(): boolean
}): AdaptedTransaction {
  return adapted((text, values) => {
    if (!em.isInTransaction()) throw notOpen('mikroOrm')
    const placed = withQuestionMarks(text, values)
    return em.execute(placed.text, placed.values)
  })
}

/** Sequelize: the instance and the transaction. */
export function sequelize(
  db: { query(text: string, options: any): Promise<any>; transaction: Exists },
  transaction: { commit: Exists; rollback: Exists; afterCommit: Exists },
): AdaptedTransaction {
  return adapted(async (text, bind) => {
    const [rows] = (await db.query(text, { bind, transaction })) as [unknown]
    return rows
  })
}

/** pg-promise: the task that `tx` hands over. */
export function pgPromise(tx: {
  query(text: any, values?: any): Promise<any>
  ctx: { inTransaction: boolean }
}): AdaptedTransaction {
  return adapted((text, values) => {
    if (!tx.ctx.inTransaction) throw notOpen('pgPromise')
    return tx.query(text, values)
  })
}

/** Slonik: the connection that `transaction` hands over, and the `sql` of `slonik`. */
export function slonik<Query>(
  tx: { query(query: Query): Promise<{ readonly rows: readonly unknown[] }>; connect?: never },
  sql: { unsafe: Tag<Query> },
): AdaptedTransaction {
  return adapted((text, values) => tx.query(tagged(sql.unsafe, text, values)))
}

type Unsafe = (text: string, values?: any[]) => PromiseLike<unknown>
/** A member that only the right handle has. */
type Exists = (...values: any[]) => unknown

/** Libraries resolve with the rows themselves or with an object that has them. */
function adapted(run: (text: string, values: unknown[]) => unknown): AdaptedTransaction {
  return {
    async query(text, values) {
      const answer = await run(text, values)
      return { rows: Array.isArray(answer) ? answer : ((answer as { rows?: any[] } | undefined)?.rows ?? []) }
    },
  }
}

function notOpen(adapter: string): TypeError {
  return new TypeError(`${adapter}() needs an open transaction: the event would be written without the change`)
}

/**
 * For the option `listen` of a relay: listens on a connection of its own, made with `config` as `new pg.Client(config)`
 * makes one. Needs the package `pg`. Behind a transaction pooler it may be the pooler's address: the relay notices that
 * no notification arrives, and polls.
 */
export function pgListen(config: ClientConfig): Listen {
  return async (channel, heard) => {
    // Imported when it is needed, so that the other adapters work where `pg` is not installed.
    const { pgListen } = await import('@product-events/wake-ups/pg')
    return pgListen(config)(channel, heard)
  }
}
