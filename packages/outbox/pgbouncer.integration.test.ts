import { transaction } from '@product-events/database'
import { freshDatabase } from '@product-events/local'
import type pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { append, createRelay, outboxMigrations } from './index.ts'
import { LANES } from './lanes.ts'
import { pgbouncer, type PgBouncer, startPgBouncer } from './testing/pgbouncer.ts'
import { connectForTest, newEvent, statuses, testBroker } from './testing/outbox.ts'

let proxy: PgBouncer
beforeAll(async () => {
  if (pgbouncer === undefined) return
  const databaseUrl = await freshDatabase(inject('postgresUrl'), outboxMigrations)
  // As it is installed: it knows no parameter but those that every client sends.
  proxy = await startPgBouncer(databaseUrl, { ignore: [] })
})
afterAll(() => proxy?.stop())

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
    await expect.poll(shares, { timeout: 50_000 }).toEqual([20, 22, 22])

    for (let n = 0; n < 20; n++) {
      await transaction(writer, (tx) =>
        append(
          tx,
          ['a', 'b', 'c', 'd', 'e'].map((key) => newEvent(key, n)),
        ),
      )
    }
    for (const relay of relays) relay.nudge()
    await expect.poll(() => statuses(writer), { timeout: 50_000 }).toEqual({ processed: 100 })
    stop.abort()
    await Promise.all(running)
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      const sent = broker.accepted.filter((event) => event.key === key).map(({ payload }) => Number(payload))
      expect(sent).toEqual(Array.from({ length: 20 }, (_, n) => n))
    }
    expect(await shares(), 'all lanes are given back').toEqual([])
    expect((await writer.query(`SELECT FROM outbox_lanes`)).rowCount).toBe(LANES)
    await Promise.all(pools.map((pool) => pool.end()))
  },
)
