import type pg from 'pg'

/** A rollback that takes longer than this means that the connection is gone. */
const ROLLBACK_TIMEOUT_MS = 1_000

/**
 * Neither depends on a setting of the session. A transaction whose client was frozen must not hold its row locks for
 * ever, so the server ends it after ten idle seconds.
 */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '10s'`

/**
 * Runs `work` in one transaction of its own connection and resolves with its result once the commit is durable.
 *
 * Rejects with what `work` threw, after a rollback. Rejects as well when the server answers COMMIT with ROLLBACK, which
 * it does, without an error, for a transaction in which a statement failed and was swallowed. A connection that can't
 * even roll back is dropped, not returned to the pool.
 */
export async function transaction<Result>(
  pool: pg.Pool,
  work: (tx: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const tx = await pool.connect()
  // A connection that breaks between two queries says so by an event, which would end the process without a listener;
  // the next query on it rejects with the same error.
  let broken: Error | undefined
  const onError = (error: Error) => (broken = error)
  tx.on('error', onError)
  try {
    await tx.query(BEGIN)
    const result = await work(tx)
    const commit = await tx.query('COMMIT')
    if (commit.command !== 'COMMIT')
      throw new Error('the transaction was rolled back: one of its statements had failed')
    return result
  } catch (error) {
    const rollback: pg.QueryConfig & { query_timeout: number } = {
      text: 'ROLLBACK',
      query_timeout: ROLLBACK_TIMEOUT_MS,
    }
    await tx.query(rollback).catch(onError)
    throw error
  } finally {
    tx.off('error', onError)
    tx.release(broken)
  }
}
