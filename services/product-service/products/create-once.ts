import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { SpanContext } from '@product-events/telemetry'
import { WITHIN_A_REQUEST } from '../limits.ts'
import { type Answer, type Creation, newCreation } from './create.ts'
import type { NewProduct } from './schemas.ts'

/** A key, and whose: the keys of two callers have nothing to do with each other. */
export interface CallersKey {
  caller: string
  key: string
}

/** What came of a request with an Idempotency-Key. */
export type CreatedOnce =
  | { kind: 'created'; creation: Creation }
  /** It was done before, with this answer. */
  | { kind: 'replayed'; answer: Answer }
  /** The key belongs to another request. */
  | { kind: 'other-request' }
  /** The first request with this key has no answer yet. */
  | { kind: 'in-progress' }

export interface CreateOnceOptions {
  db: pg.Pool
  /** Resolves once it is committed. */
  write: (creation: Creation) => Promise<void>
}

/**
 * Creates one product for each key of a caller, whatever the number of requests. The answer is remembered in the
 * transaction of the product, so there is never the one without the other; a request that failed is not remembered, and
 * may be tried again under its key. What tells requests apart is the product that they ask for, not its spelling as
 * JSON.
 */
export function createProductsOnce({ db, write }: CreateOnceOptions) {
  /** Of this process. Of two processes with the same key the second waits for the first one's commit. */
  const inProgress = new Set<string>()

  return async ({ caller, key }: CallersKey, body: NewProduct, trace?: SpanContext): Promise<CreatedOnce> => {
    const name = JSON.stringify([caller, key])
    if (inProgress.has(name)) return { kind: 'in-progress' }
    inProgress.add(name)
    try {
      const request_hash = hashOf(body)
      const earlier = await findAnswer(db, { caller, key }, request_hash)
      if (earlier) return earlier
      const creation: Creation = { ...newCreation(body, trace), idempotency: { caller, key, request_hash } }
      try {
        await write(creation)
        return { kind: 'created', creation }
      } catch (error) {
        if (!isTaken(error)) throw error
        return (await findAnswer(db, { caller, key }, request_hash)) ?? { kind: 'in-progress' }
      }
    } finally {
      inProgress.delete(name)
    }
  }
}

async function findAnswer(
  db: pg.Pool,
  { caller, key }: CallersKey,
  request_hash: string,
): Promise<CreatedOnce | undefined> {
  const { rows } = await db.query<Answer & { request_hash: string }>({
    text: 'SELECT request_hash, status, headers, body FROM public.idempotency_keys WHERE caller = $1 AND key = $2',
    values: [caller, key],
    ...WITHIN_A_REQUEST,
  })
  const [found] = rows
  if (!found) return undefined
  const { status, headers, body } = found
  return found.request_hash === request_hash
    ? { kind: 'replayed', answer: { status, headers, body } }
    : { kind: 'other-request' }
}

function hashOf({ name, description = '', price }: NewProduct): string {
  return createHash('sha256')
    .update(JSON.stringify([name, description, price]))
    .digest('hex')
}

/** Another process committed this key while we were about to. */
export function isTaken(error: unknown): boolean {
  return (error as Partial<pg.DatabaseError>).constraint === 'idempotency_keys_pkey'
}
