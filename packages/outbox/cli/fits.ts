import type { Tables } from '../database.ts'
import type { OutboxEvent } from '../send.ts'
import { MAX_BYTES } from '../sqs-entry.ts'
import { toEntry } from '../sqs-entry.ts'

/** Why a broker can never accept an event; undefined if it may. */
export type NeverAccepts = (event: OutboxEvent) => string | undefined

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_ATTRIBUTES = 10

/** Why SQS can never accept an event, as far as its limits say. */
export function neverAcceptedBySqs(event: OutboxEvent): string | undefined {
  const { bytes, entry } = toEntry(event, false)
  const attributes = Object.keys(entry.MessageAttributes ?? {}).length
  if (bytes > MAX_BYTES) return `too large: ${bytes} bytes with attributes, and SQS takes ${MAX_BYTES}`
  if (attributes > MAX_ATTRIBUTES) return `${attributes} headers with the type, and SQS takes ${MAX_ATTRIBUTES}`
  return undefined
}

/** Events read at once: a payload may have a megabyte. */
const PAGE = 10

/** Which of the events the broker can never accept, and why. A redrive would only make them dead again. */
export async function neverAccepted(
  tables: Tables,
  ids: readonly string[],
  neverAccepts: NeverAccepts,
): Promise<Map<string, string>> {
  const reasons = new Map<string, string>()
  for (let from = 0; from < ids.length; from += PAGE) {
    for (const event of await readWhole(tables, ids.slice(from, from + PAGE))) {
      const reason = neverAccepts(event)
      if (reason !== undefined) reasons.set(event.id, reason)
    }
  }
  return reasons
}

async function readWhole({ db, schema }: Tables, ids: string[]): Promise<OutboxEvent[]> {
  const { rows } = await db.query<Omit<OutboxEvent, 'createdAt'>>(
    `SELECT id::text, event_id::text AS "eventId", key, lane, type, payload::text, headers, attempts,
            redriven_count AS redriven
     FROM ${schema}.events
     WHERE id = ANY ($1::bigint[])`,
    [ids],
  )
  return rows.map((row) => ({ ...row, createdAt: new Date() }))
}
