import { type BatcherOptions, createBatcher } from '@product-events/batcher'
import { HttpProblem } from '@product-events/http-api'
import type pg from 'pg'
import { activeTracer, databaseSpan, inSpan } from '@product-events/telemetry'
import { type Creation, writeCreations } from './create.ts'
import { getProducts, type ProductText } from './get.ts'
import { listProducts, type PageQuery } from './list.ts'

/** Class 22 is a value that PostgreSQL can't take, class 23 one that breaks a constraint. The statement did nothing. */
const FAULT_OF_ONE = /^2[23]/

const limits = {
  // While one statement commits, the next is prepared. More of them would be smaller, and fight for the same cores.
  maxInFlight: 2,
  // Some tenths of a second of work. Whoever came later would wait longer than it takes to ask again.
  maxWaiting: 1_000,
  // As long as a query may take: what a frozen database keeps waiting fails together with what it holds.
  maxWaitMs: 5_000,
  refusal: () => new HttpProblem('unavailable', 'There are too many requests at once. Please try again.'),
  isFaultOfOne: (error: unknown) => FAULT_OF_ONE.test((error as Partial<pg.DatabaseError>).code ?? ''),
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
