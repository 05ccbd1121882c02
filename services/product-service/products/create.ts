import { type Product, type ProductEvent, productEvent } from '@product-events/contracts'
import type pg from 'pg'
import type { SpanContext } from '@product-events/telemetry'
import { toNewEvent } from './new-event.ts'
import { WITHIN_A_REQUEST } from '../limits.ts'
import { outbox } from '../outbox.ts'
import { etagOf } from './etag.ts'
import { newProductId } from './product-id.ts'
import type { NewProduct } from './schemas.ts'

/** The answer to a request, as it is sent. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** A product that is about to be written, with its event and its answer. */
export interface Creation {
  product: Product
  event: ProductEvent
  answer: Answer
  /** The place of its request in a trace. */
  trace: SpanContext | undefined
  /** Remembered with the product, so that the same request again gets the same answer. */
  idempotency?: { caller: string; key: string; request_hash: string }
}

export function newCreation({ name, description = '', price }: NewProduct, trace?: SpanContext): Creation {
  const { id, created_at } = newProductId()
  const product: Product = { id, name, description, price, version: 1, created_at, updated_at: created_at }
  const event = productEvent('product.created', product, { sequence: product.version, time: created_at })
  const headers = { location: `/products/${id}`, etag: etagOf(product) }
  return { product, event, answer: { status: 201, headers, body: JSON.stringify(product) }, trace }
}

/**
 * Writes products, their events, and the answers to be remembered, by one statement: one round trip,
 * one commit, all or nothing. The server's own BEGIN and COMMIT around a statement can't be lost on the way.
 */
export async function writeCreations(db: pg.Pool, creations: Creation[]): Promise<void> {
  const products = JSON.stringify(creations.map(({ product }) => product))
  const answers = JSON.stringify(
    creations
      .flatMap(({ answer, idempotency }) => (idempotency ? [{ ...idempotency, ...answer }] : []))
      // Two statements that write the same keys in different orders would wait for each other.
      .toSorted((a, b) => (a.caller + a.key < b.caller + b.key ? -1 : 1)),
  )
  const appendEvents = outbox.appendStatement(creations.map(({ event, trace }) => toNewEvent(event, trace)))
  await db.query({
    text: `WITH appended AS (
       ${appendEvents.text}
     ), remembered AS (
       INSERT INTO public.idempotency_keys (caller, key, request_hash, status, headers, body)
       SELECT caller, key, request_hash, status, headers, body
       FROM jsonb_to_recordset($3::jsonb)
         AS answer (caller text, key text, request_hash text, status smallint, headers jsonb, body text)
     )
     INSERT INTO public.products (id, name, description, price, version, created_at, updated_at)
     SELECT id, name, description, price, version, created_at, updated_at
     FROM jsonb_to_recordset($2::jsonb)
       AS product (id uuid, name text, description text, price numeric, version integer,
                   created_at timestamptz, updated_at timestamptz)`,
    values: [...appendEvents.values, products, answers],
    ...WITHIN_A_REQUEST,
  })
}
