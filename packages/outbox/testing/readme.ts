/** The code of README.md as it stands there, a region a block, so that the compiler checks it and a test runs it. */
import type { SQSClient } from '@aws-sdk/client-sqs'
import { connect, migrate, transaction } from '@product-events/database'
import { type SQL, sql as drizzleSql } from 'drizzle-orm'
import { CompiledQuery, type Transaction as KyselyTransaction } from 'kysely'
import { createOutbox, outboxMigrations, type Transaction } from '@product-events/outbox'
import { pgListen } from '@product-events/outbox/adapters'
import { sendToSqs } from '@product-events/outbox/sqs'
import type { TransactionSql } from 'postgres'

const onIdleError = () => {}

export async function use(databaseUrl: string, sqs: SQSClient, queueUrl: string, id: string) {
  const stop = new AbortController()
  // #region use
  const outbox = createOutbox<{ 'order.paid': { id: string } }>({ schema: 'public' })
  await migrate(databaseUrl, outboxMigrations)
  const pool = connect({ databaseUrl, applicationName: 'orders', maxConnections: 10, onIdleError })
  const listen = pgListen({ connectionString: databaseUrl })
  const relay = outbox.createRelay({ owner: 'orders', db: pool, send: sendToSqs({ sqs, queueUrl }), listen })
  const running = relay.run(stop.signal)

  await transaction(pool, async (tx) => {
    await tx.query('UPDATE orders SET paid = true WHERE id = $1', [id])
    await outbox.append(tx, [{ key: id, type: 'order.paid', payload: { id } }])
  })
  outbox.wake(pool)
  // #endregion
  return { pool, running, stop }
}

// #region adapters
export const postgresJs = (tx: TransactionSql): Transaction => ({
  query: (text, values) => tx.unsafe(text, values as string[]),
})
export const kysely = (tx: KyselyTransaction<any>): Transaction => ({
  query: (text, values) => tx.executeQuery(CompiledQuery.raw(text, values)),
})
export const drizzle = (tx: { execute(query: SQL): Promise<unknown> }): Transaction => ({
  query: (text, values) => tx.execute(drizzleSql(Object.assign(text.split(/\$\d/), { raw: [] }), ...values)),
})
// #endregion
