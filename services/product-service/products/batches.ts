import { type BatcherOptions, createBatcher } from '@product-events/batcher'
import { HttpProblem } from '@product-events/http-api'
import { databaseOutage } from '@product-events/outages'
import type pg from 'pg'
import { activeTracer, databaseSpan, inSpan } from '@product-events/telemetry'
import { MAX_WAIT_MS } from '../limits.ts'
import { type Creation, writeCreations } from './create.ts'
import { getProducts, type ProductText } from './get.ts'
import { listProducts, type PageQuery } from './list.ts'

/**
 * Any error of the statement itself that is not the database's failure may be one product's, a trigger's refusal or a
 * row policy included: the statement did nothing, and others may succeed.
 */
function isFaultOfOne(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && SQLSTATE.test(code) && databaseOutage(error) === undefined
}

const SQLSTATE = /^[0-9A-Z]{5}$/

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
