import { type BatcherOptions, createBatcher } from '@product-events/batcher'
import { HttpProblem } from '@product-events/http-api'
import type pg from 'pg'
import { activeTracer, databaseSpan, inSpan } from '@product-events/telemetry'
import { MAX_WAIT_MS } from '../limits.ts'
import { isTaken } from './create-once.ts'
import { type Creation, writeCreations } from './create.ts'
import { getProducts, type ProductText } from './get.ts'
import { listProducts, type PageQuery } from './list.ts'

/**
 * A value that PostgreSQL can't take (class 22), or one that breaks a constraint of one product: the statement did
 * nothing, and others may succeed. Of the unique constraints only the key's own is a caller's: an id that a sequence
 * gave out twice, as after a restore, is the database's failure.
 */
function isFaultOfOne(error: unknown): boolean {
  const { code = '' } = error as Partial<pg.DatabaseError>
  return /^(22|23502|23514)/.test(code) || isTaken(error)
}

const limits = {
  // While one statement commits, the next is prepared. More of them would be smaller, and fight for the same cores.
  maxInFlight: 2,
  // Some tenths of a second of work. A later request would wait longer than a retry takes.
  maxWaiting: 1_000,
  maxWaitMs: MAX_WAIT_MS,
  refusal: () => new HttpProblem('overloaded', 'There are too many requests at once. Please try again.'),
  isFaultOfOne,
} satisfies Partial<BatcherOptions<never, never>>

export interface Batches {
  /** Resolves once it is committed. */
  write: (creation: Creation) => Promise<void>
  get: (id: string) => Promise<ProductText | undefined>
  list: (query: PageQuery) => Promise<string>
}

/** Requests that arrive together share a statement: see `createBatcher`. `nudge` is told after each commit. */
export function createBatches(pool: pg.Pool, nudge: () => void): Batches {
  const write = createBatcher<Creation, void>({
    ...limits,
    // Half of 64 requests, so that two statements share them evenly.
    maxItems: 32,
    run: async (creations) => {
      await writeCreations(pool, creations)
      nudge()
      return []
    },
  })
  const get = createBatcher<string, ProductText | undefined>({
    ...limits,
    maxItems: 100,
    run: (ids) => getProducts(pool, ids),
  })
  const list = createBatcher<PageQuery, string>({
    ...limits,
    maxItems: 100,
    run: (queries) => listProducts(pool, queries),
  })
  const tracer = activeTracer()
  const insert = databaseSpan('INSERT', 'products')
  const tracedWrite = (creation: Creation) => inSpan(tracer, creation.trace, insert, () => write(creation))
  return { write: tracer ? tracedWrite : write, get, list }
}
