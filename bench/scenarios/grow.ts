import { connect, migrate } from '@product-events/database'
import { createRelay, outboxMigrations, outboxTables, prune } from '@product-events/outbox'
import { productMigrations } from '../../services/product-service/migrations.ts'
import { listProducts } from '../../services/product-service/products/list.ts'
import { fillProcessed } from '../drain/fill-events.ts'
import { oursTo } from '../drain/ours.ts'
import { fillProducts, idBehind } from '../http/fill-products.ts'
import type { Contestant, Figures, Scenario } from '../scenario.ts'
import { type BenchServer, query, startBenchServer } from '../server.ts'

/** Processed events, and products, that are there already. */
const SIZES = [10_000, 100_000, 1_000_000, 10_000_000]
/** The largest takes minutes to write. */
const QUICK_SIZES = [10_000, 100_000]
/** Appended and drained in a round. */
const EVENTS = 20_000
/** Enough calls for their mean to mean something. */
const CALLS = 200
/** As many as one statement of `prune` looks at; five rounds of it are half of the smallest size. */
const PRUNED = 1_000
const PAGE = 20

export const scenario: Scenario = {
  name: 'grow',
  title: 'the same work on tables of 10^4 to 10^7 rows: append, drain, an empty look, pruning, a page of products',
  chart: 'append and drain events/s',
  seconds: { prepare: 270, round: 12 },
  async open({ quick, dir, say }) {
    const server = await startBenchServer(dir)
    const sizes: Size[] = []
    // A database for each, and not one that grows, because rounds are interleaved; all but the largest are small beside
    // it.
    for (const rows of quick ? QUICK_SIZES : SIZES) {
      say(`writing ${rows.toLocaleString('en')} processed events and as many products`)
      sizes.push(await openSize(server, rows))
    }
    return {
      contestants: sizes,
      skipped: [],
      settings: { events: EVENTS, calls: CALLS, pruned: PRUNED, page: PAGE, postgresql: server.settings },
      async close() {
        for (const { close } of sizes) await close()
        await server.close()
      },
    }
  },
}

interface Size extends Contestant {
  close(): Promise<void>
}

async function openSize(server: BenchServer, rows: number): Promise<Size> {
  const databaseUrl = await server.createDatabase(`rows_${rows}`)
  await migrate(databaseUrl, outboxMigrations, productMigrations)
  await Promise.all([fillProcessed(databaseUrl, rows), fillProducts(databaseUrl, rows)])
  const db = connect({ databaseUrl, applicationName: 'bench', maxConnections: 4, onIdleError: () => {} })
  const drainer = await oursTo('relay', databaseUrl, { takesTurns: true })

  async function appendAndDrain(): Promise<number> {
    // The first takes the lanes, which is not measured.
    await drainer.fill(0)
    const ms = await took(async () => {
      await drainer.fill(EVENTS)
      await drainer.drain(EVENTS)
    })
    await drainer.settled?.()
    return EVENTS / (ms / 1000)
  }

  /** What a relay asks the database for when there is nothing to do, at every poll and after every nudge. */
  async function emptyLookMs(): Promise<number> {
    const relay = createRelay({ db, send: () => Promise.reject(new Error('there was something to send')) })
    await relay.drainOnce()
    const ms = await took(async () => {
      for (let call = 0; call < CALLS; call++) await relay.drainOnce()
    })
    await relay.release()
    return ms / CALLS
  }

  async function pruneMs(): Promise<number> {
    const [row] = await query<{ hours: number }>(
      databaseUrl,
      `SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 / 3600 AS hours
       FROM events ORDER BY id OFFSET ${PRUNED} LIMIT 1`,
    )
    return took(async () => void (await prune(outboxTables(db), row?.hours ?? 0)))
  }

  /** Of pages anywhere in the list, each another one. */
  async function pageMs(): Promise<number> {
    const pages = Array.from({ length: CALLS }, () => ({ limit: PAGE, behind: idBehind(Math.random() * rows) }))
    const ms = await took(async () => {
      for (const page of pages) await listProducts(db, [page])
    })
    return ms / CALLS
  }

  return {
    name: `${rows.toLocaleString('en')} rows`,
    async round(): Promise<Figures> {
      return {
        'append and drain events/s': await appendAndDrain(),
        'empty look ms': await emptyLookMs(),
        'prune 1,000 ms': await pruneMs(),
        'page of products ms': await pageMs(),
      }
    },
    async close() {
      await drainer.close()
      await db.end()
    },
  }
}

async function took(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
