import { transaction } from '@product-events/database'
import { freshDatabase } from '@product-events/local'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { append, createRelay, outboxMigrations } from './index.ts'
import { LANES } from './lanes.ts'
import { pgbouncer, type PgBouncer, startPgBouncer } from './testing/pgbouncer.ts'
import { connectForTest, newEvent, statuses, testBroker } from './testing/outbox.ts'

/** The settings that `connect` of the `database` package asks for when it connects, and PgBouncer knows nothing of. */
const TIMEOUTS = ['statement_timeout', 'idle_in_transaction_session_timeout']

let proxy: PgBouncer
let strict: PgBouncer
beforeAll(async () => {
  if (pgbouncer === undefined) return
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  proxy = await startPgBouncer(databaseUrl, {
    ignore: TIMEOUTS,
    settings: `connect_query='SET statement_timeout = 4500; SET idle_in_transaction_session_timeout = 10000'`,
  })
  strict = await startPgBouncer(databaseUrl, { ignore: [] })
})
afterAll(() => Promise.all([proxy?.stop(), strict?.stop()]))

test.skipIf(pgbouncer === undefined)(
  'behind PgBouncer in transaction mode relays share lanes and send each key in order, on fewer sessions than pools',
  async () => {
    const pools = Array.from({ length: 4 }, () => connectForTest(proxy.url))
    const [writer, ...relayPools] = pools as [pg.Pool, ...pg.Pool[]]
    const broker = testBroker()
    const stop = new AbortController()
    const relays = relayPools.map((db) => createRelay({ db, send: broker.send }))
    const running = relays.map((relay) => relay.run(stop.signal))
    const owned = `SELECT count(*)::int AS lanes FROM outbox_lanes WHERE relay IS NOT NULL GROUP BY relay ORDER BY 1`
    const shares = async () => (await writer.query<{ lanes: number }>(owned)).rows.map(({ lanes }) => lanes)
    await expect.poll(shares, { timeout: 20_000 }).toEqual([20, 22, 22])

    for (let n = 0; n < 20; n++) {
      await transaction(writer, (tx) =>
        append(
          tx,
          ['a', 'b', 'c', 'd', 'e'].map((key) => newEvent(key, n)),
        ),
      )
    }
    for (const relay of relays) relay.nudge()
    await expect.poll(() => statuses(writer), { timeout: 20_000 }).toEqual({ processed: 100 })
    stop.abort()
    await Promise.all(running)
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const sent = broker.accepted.filter((event) => event.key === key).map(({ payload }) => Number(payload))
      expect(sent).toEqual(Array.from({ length: 20 }, (_, n) => n))
    }
    expect(await shares(), 'all lanes are given back').toEqual([])
    expect((await writer.query(`SELECT FROM outbox_lanes`)).rowCount).toBe(LANES)
    const { rows } = await writer.query(`SELECT current_setting('statement_timeout') AS timeout`)
    expect(rows, 'connect_query sets what the proxy ignored').toEqual([{ timeout: '4500ms' }])
    await Promise.all(pools.map((pool) => pool.end()))
  },
)

test.skipIf(pgbouncer === undefined)(
  'a PgBouncer that was not told to ignore the timeouts refuses a pool that asks for them, and takes one that does not',
  async () => {
    const asking = connectForTest(strict.url)
    await expect(asking.query('SELECT 1')).rejects.toThrow(/unsupported startup parameter: (statement|idle)/)
    await asking.end()
    const plain = new pg.Pool({ connectionString: strict.url })
    expect((await plain.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await plain.end()
  },
)
