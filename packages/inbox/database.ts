/** Runs SQL in an open transaction: a `pg` client as it is, other libraries by a one-line adapter. */
export interface Sql {
  query(text: string, values: unknown[]): Promise<unknown>
}

/** As much of a `pg` client as a transaction needs. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<{ rows: any[]; command: string }>
  release(destroy?: Error | boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}

/** As much of a `pg` pool as is needed. */
export interface PgPool<Client extends PgClient = PgClient> {
  connect(): Promise<Client>
}

/** Transactions of any other library. `sql` makes of its transaction something with `query(text, values)`. */
export interface OtherDatabase<Tx> {
  transaction: <Result>(work: (tx: Tx) => Promise<Result>) => Promise<Result>
  sql: (tx: Tx) => Sql
}

/** A library's transactions, whichever library it is. */
export interface Transactions<Tx> {
  run<Result>(work: (tx: Tx, sql: Sql) => Promise<Result>): Promise<Result>
}

/** A rollback that takes longer than this means that the connection is gone. */
const ROLLBACK_TIMEOUT_MS = 1_000
/**
 * A caller's pool may know no timeouts, and a frozen server answers nothing: messages are hidden for longer than this.
 */
const STATEMENT_TIMEOUT_MS = 15_000

export function transactionsOf<Tx>(db: PgPool<Tx & PgClient> | OtherDatabase<Tx>): Transactions<Tx> {
  if ('transaction' in db) {
    return {
      run: (work) =>
        db.transaction(async (tx) => {
          const sql = timed(db.sql(tx))
          const result = await work(tx, sql)
          // Fails in a transaction in which a statement failed and was swallowed: its COMMIT would roll back silently.
          await sql.query('SELECT 1', [])
          return result
        }),
    }
  }
  return { run: (work) => pgTransaction(db, (client) => work(client, timed(client))) }
}

/**
 * One transaction on a connection of its own, whatever the pool's settings are: BEGIN names its isolation. Rejects with
 * what `work` threw, after a rollback, and when the server answers COMMIT with ROLLBACK.
 */
async function pgTransaction<Client extends PgClient, Result>(
  pool: PgPool<Client>,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(pool)
  let broken: Error | undefined
  const onError = (error: Error) => void (broken = error)
  client.on('error', onError)
  try {
    await answered(client.query('BEGIN ISOLATION LEVEL READ COMMITTED'))
    const result = await work(client)
    const { command } = await answered(client.query('COMMIT'))
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back: one of its statements had failed')
    return result
  } catch (error) {
    // A statement or a handler that did not end in time still uses the connection.
    if (isTimeout(error)) broken = error
    else await withinTime(client.query('ROLLBACK'), ROLLBACK_TIMEOUT_MS, 'ROLLBACK has no answer').catch(onError)
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

async function connect<Client extends PgClient>(pool: PgPool<Client>): Promise<Client> {
  const connecting = pool.connect()
  try {
    return await answered(connecting)
  } catch (error) {
    // A connection that comes too late goes back.
    connecting.then((client) => client.release()).catch(() => {})
    throw error
  }
}

function timed(sql: Sql): Sql {
  return { query: (text, values) => answered(sql.query(text, values)) }
}

/** Rejects with a `DatabaseTimeout` when a statement takes too long. */
async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  return withinTime(answer, STATEMENT_TIMEOUT_MS, 'PostgreSQL does not answer', DatabaseTimeout)
}

export class TimeoutError extends Error {}
export class DatabaseTimeout extends TimeoutError {}

function isTimeout(error: unknown): error is Error {
  return error instanceof TimeoutError || (error as { cause?: unknown } | null)?.cause instanceof TimeoutError
}

/** Rejects with a `TimeoutError` when `work` is not done within `ms`; the work itself can't be stopped. */
export async function withinTime<Result>(
  work: Promise<Result>,
  ms: number,
  what: string,
  Late: new (message: string) => Error = TimeoutError,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`${what} within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The rows of an answer: libraries give the array itself or an object that has it. */
export function rowsOf<Row>(answer: unknown): Row[] {
  if (Array.isArray(answer)) return answer as Row[]
  return (answer as { rows: Row[] }).rows
}
