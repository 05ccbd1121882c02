import type { Tables } from './database.ts'
import type { OutboxEvent } from './send.ts'

/** A lane to read from, and what of it is in memory. */
export interface LaneToRead {
  lane: number
  /** The events in memory, by number and by event id: after a failover a new event may have the number of an old one. */
  held: string[]
  heldEvents: string[]
  /** Keys with so many events in memory that more of them would only take the place of other keys. */
  full: string[]
}

/** What a claim brought. */
export interface Page {
  events: OutboxEvent[]
  /** Events that no broker can be handed, with the reason. */
  broken: { event: OutboxEvent; reason: string }[]
  /** Bytes of the payloads, as text. */
  bytes: number
}

/** Payloads are read into memory until they take this much. A larger one is not read at all. */
export const MAX_BYTES = 16 * 1024 * 1024

/**
 * Reads the next pending events: of each lane up to `perLane` in the order of their ids. A key with a failed event gives
 * nothing.
 *
 * It goes by status, never by "id above the last one": an event whose transaction took its id early and committed late
 * is found like any other. It writes nothing: owning the lane is what keeps other relays away.
 */
export async function claimPending({ db, schema }: Tables, lanes: LaneToRead[], perLane: number): Promise<Page> {
  const { rows } = await db.query<EventRow>(
    `SELECT id::text, event_id::text AS "eventId", key, lane, type, headers::text, attempts, redriven_count AS redriven,
            CASE WHEN isfinite(created_at) THEN (extract(epoch FROM created_at) * 1000)::bigint::text END AS "createdMs",
            bytes, CASE WHEN bytes <= $3 THEN payload::text END AS payload
     FROM (
       SELECT next.*, sum(bytes) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
       FROM jsonb_to_recordset($1::text::jsonb) AS owned (lane smallint, held bigint[], "heldEvents" uuid[], "full" text[])
       CROSS JOIN LATERAL (
         SELECT *, CASE WHEN pg_column_compression(payload) IS NULL THEN pg_column_size(payload)
                        ELSE octet_length(payload::text) END AS bytes
         FROM ${schema}.events AS pending
         WHERE pending.status = 'pending' AND pending.lane = owned.lane
           AND (pending.id <> ALL (owned.held) OR pending.event_id <> ALL (owned."heldEvents"))
           AND pending.key <> ALL (owned."full")
           AND NOT EXISTS (SELECT FROM ${schema}.events AS failed WHERE failed.status = 'failed' AND failed.key = pending.key)
         ORDER BY pending.id
         LIMIT $2
       ) AS next
     ) AS readable
     WHERE coalesce(bytes_before, 0) < $3`,
    [JSON.stringify(lanes), perLane, MAX_BYTES],
  )
  return toPage(rows)
}

/** Reads the failed events that are due: of each lane up to `perLane`, the longest due first, of each key the oldest. */
export async function claimDue({ db, schema }: Tables, lanes: LaneToRead[], perLane: number): Promise<Page> {
  const { rows } = await db.query<EventRow>(
    `SELECT id::text, event_id::text AS "eventId", key, lane, type, headers::text, attempts, redriven_count AS redriven,
            CASE WHEN isfinite(created_at) THEN (extract(epoch FROM created_at) * 1000)::bigint::text END AS "createdMs",
            bytes, CASE WHEN bytes <= $3 THEN payload::text END AS payload
     FROM (
       SELECT next.*, sum(bytes) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
       FROM jsonb_to_recordset($1::text::jsonb) AS owned (lane smallint, held bigint[], "heldEvents" uuid[])
       CROSS JOIN LATERAL (
         SELECT *, CASE WHEN pg_column_compression(payload) IS NULL THEN pg_column_size(payload)
                        ELSE octet_length(payload::text) END AS bytes
         FROM ${schema}.events AS failed
         WHERE failed.status = 'failed' AND failed.lane = owned.lane AND failed.next_attempt_at <= clock_timestamp()
           AND (failed.id <> ALL (owned.held) OR failed.event_id <> ALL (owned."heldEvents"))
           AND NOT EXISTS (SELECT FROM ${schema}.events AS earlier
                           WHERE earlier.status = 'failed' AND earlier.key = failed.key AND earlier.id < failed.id)
         ORDER BY failed.next_attempt_at
         LIMIT $2
       ) AS next
     ) AS readable
     WHERE coalesce(bytes_before, 0) < $3`,
    [JSON.stringify(lanes), perLane, MAX_BYTES],
  )
  return toPage(rows)
}

/**
 * Makes failed events due that have no due time, as a writer by SQL may leave them, or that were refused later than now: the database's clock was set back since, and they would wait
 * for as long as it was set back.
 */
export async function mendDueTimes({ db, schema }: Tables, lanes: number[]): Promise<void> {
  await db.query(
    `UPDATE ${schema}.events SET next_attempt_at = clock_timestamp(), failed_at = clock_timestamp()
     WHERE status = 'failed' AND (failed_at > clock_timestamp() OR next_attempt_at IS NULL)
       AND lane IN (SELECT given.lane::smallint FROM jsonb_array_elements_text($1::text::jsonb) AS given (lane))`,
    [JSON.stringify(lanes)],
  )
}

/** A row as text: how a driver would read a number, a time or JSON depends on settings of the session and the process. */
interface EventRow {
  id: string
  eventId: string
  key: string
  lane: number
  type: string
  headers: string
  attempts: number
  redriven: number
  createdMs: string | null
  bytes: number
  payload: string | null
}

function toPage(rows: EventRow[]): Page {
  const page: Page = { events: [], broken: [], bytes: 0 }
  for (const row of rows) {
    const { event, fault } = readEvent(row)
    if (fault === undefined) page.events.push(event)
    else page.broken.push({ event, reason: fault })
    page.bytes += event.payload.length
  }
  return page
}

/** The latest time that a `Date` can hold. */
const LAST_MS = 8.64e15

function readEvent({ headers: text, payload, createdMs, bytes, ...row }: EventRow): {
  event: OutboxEvent
  fault?: string
} {
  const createdAt = new Date(createdMs === null ? Date.now() : Math.min(Number(createdMs), LAST_MS))
  const headers: unknown = JSON.parse(text)
  const event = { ...row, headers: {}, payload: payload ?? '', createdAt }
  if (payload === null) return { event, fault: `the payload takes ${bytes} bytes; the relay reads up to ${MAX_BYTES}` }
  if (!isHeaders(headers)) return { event, fault: 'headers must be an object whose values are strings' }
  return { event: { ...event, headers } }
}

function isHeaders(headers: unknown): headers is Record<string, string> {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return false
  return Object.values(headers).every((value) => typeof value === 'string')
}
