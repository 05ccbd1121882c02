import { quotedName } from '@product-events/database/names'
import { uuidv7 } from './uuidv7.ts'

/** Anything that runs SQL in the caller's open transaction: a `pg` client as it is, others by a one-line adapter. */
export interface Transaction {
  query(text: string, values: unknown[]): Promise<unknown>
}

export interface NewEvent {
  /** A UUID, by which consumers find duplicates. A new one (version 7) if it is left out. */
  id?: string | undefined
  /** Events of one key are sent in the order in which they were appended; `subject` of a CloudEvent. */
  key: string
  type: string
  /** The body of the message: anything that JSON can hold. */
  payload: unknown
  /** Sent beside the body (SQS message attributes); trace context, for instance. */
  headers?: Record<string, string>
}

/**
 * Writes `events` into the outbox as part of the caller's transaction: they exist if and only if it commits.
 *
 * For the order of a key to be the order of its commits, the caller must hold a lock that covers the key until the
 * commit, such as the row that the event is about, before it appends. Creating, updating or deleting that row does.
 *
 * Rejects before it asks the server: a key or type of more than 1,024 bytes, a header that is not a string, a payload
 * that is not JSON. Rejects with the server's error, which fails the transaction: an `id` that is not a UUID (22P02),
 * U+0000 in a payload, which `jsonb` can't hold (22P05).
 */
export async function append(tx: Transaction, events: readonly NewEvent[], schema?: string): Promise<void> {
  if (events.length === 0) return
  const { text, values } = appendStatement(events, schema)
  await tx.query(text, values)
}

/** A statement, and the parameters of its places. */
export interface Statement {
  text: string
  values: [events: string]
}

/** The longest key and type, in bytes of UTF-8: more than a broker takes, and little enough for an index. */
const MAX_NAME_BYTES = 1024

/** Says which event breaks a rule that the table has too, before the server fails the caller's transaction for it. */
function check({ id, key, type, payload, headers }: NewEvent & { id: string }): void {
  for (const [what, text] of Object.entries({ key, type })) {
    if (typeof text !== 'string') throw new TypeError(`${what} of event ${id} must be a string, not ${typeof text}`)
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_NAME_BYTES)
      throw new RangeError(`${what} of event ${id} has ${bytes} bytes; the outbox takes up to ${MAX_NAME_BYTES}`)
  }
  if (['undefined', 'function', 'symbol'].includes(typeof payload))
    throw new TypeError(`payload of event ${id} must be something that JSON can hold, not ${typeof payload}`)
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (typeof value !== 'string')
      throw new TypeError(`header ${JSON.stringify(name)} of event ${id} must be a string, not ${typeof value}`)
  }
}

/** The statement of `append`, for a program that makes it a part of its own (`WITH appended AS (…)`). */
export function appendStatement(newEvents: readonly NewEvent[], schema = 'public'): Statement {
  const events = newEvents.map((event) => ({ ...event, id: event.id ?? uuidv7() }))
  events.forEach(check)
  // By way of text: for a parameter of type jsonb postgres.js would turn the JSON into JSON once more. One parameter,
  // used once: adapters for libraries that know no $1 need not count.
  return {
    text: `INSERT INTO ${quotedName(schema)}.events (event_id, key, type, payload, headers)
     SELECT id, key, type, coalesce(payload, 'null'), coalesce(headers, '{}')
     FROM jsonb_to_recordset($1::text::jsonb)
       AS event (id uuid, key text, type text, payload jsonb, headers jsonb)`,
    values: [JSON.stringify(events)],
  }
}
