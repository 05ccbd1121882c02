import type { Tables } from './database.ts'

/** A lane to read from, and what of it is in memory. */
export interface LaneToRead {
  lane: number
  /**
   * The events in memory, by number and by event id: after a failover a new event may have the number of an old one.
   */
  held: string[]
  heldEvents: string[]
  /** Keys with so many events in memory that more of them would only take the place of other keys. */
  full: string[]
}

/** `ids alone`: payload and headers are neither read nor counted. */
export type Content = 'with content' | 'ids alone'

/** Events are read into memory until they take this much. A larger one is not read at all, and so does not count. */
export const MAX_BYTES = 16 * 1024 * 1024

/** The columns of `EventRow`. A larger event comes without its content. */
const EVENT_ROW = `id::text, event_id::text AS "eventId", key, lane, type, attempts, redriven_count AS redriven, bytes,
            CASE WHEN isfinite(created_at) THEN (extract(epoch FROM created_at) * 1000)::bigint::text END AS "createdMs",
            CASE WHEN bytes <= ${MAX_BYTES} THEN content END AS payload,
            CASE WHEN bytes <= ${MAX_BYTES} THEN attributes END AS headers`

/**
 * Reads the next pending events: of each lane up to `perLane` in the order of their ids. A key with a failed event
 * gives nothing.
 *
 * It goes by status, never by "id above the last one": an event whose transaction took its id early and committed late
 * is found like any other. It writes nothing: owning the lane is what keeps other relays away.
 */
export function claimPending(
  tables: Tables,
  lanes: LaneToRead[],
  perLane: number,
  content: Content,
): Promise<EventRow[]> {
  const { schema } = tables
  const pending = `FROM ${schema}.events AS pending
         WHERE pending.status = 'pending' AND pending.lane = owned.lane
           AND (pending.id <> ALL (owned.held) OR pending.event_id <> ALL (owned."heldEvents"))
           AND pending.key <> ALL (owned."full")
           AND NOT EXISTS (SELECT FROM ${schema}.events AS failed WHERE failed.status = 'failed' AND failed.key = pending.key)
         ORDER BY pending.id`
  return claim(tables, { lanes, perLane, content, events: pending })
}

/**
 * Reads the failed events that are due: of each lane up to `perLane`, the longest due first, of each key the oldest.
 */
export function claimDue(tables: Tables, lanes: LaneToRead[], perLane: number, content: Content): Promise<EventRow[]> {
  const { schema } = tables
  const due = `FROM ${schema}.events AS failed
         WHERE failed.status = 'failed' AND failed.lane = owned.lane AND failed.next_attempt_at <= clock_timestamp()
           AND (failed.id <> ALL (owned.held) OR failed.event_id <> ALL (owned."heldEvents"))
           AND NOT EXISTS (SELECT FROM ${schema}.events AS earlier
                           WHERE earlier.status = 'failed' AND earlier.key = failed.key AND earlier.id < failed.id)
         ORDER BY failed.next_attempt_at`
  return claim(tables, { lanes, perLane, content, events: due })
}

interface Claim {
  lanes: LaneToRead[]
  perLane: number
  content: Content
  /** `FROM … WHERE … ORDER BY …`: which events of a lane (`owned`), the next one first. */
  events: string
}

async function claim({ db }: Tables, { lanes, perLane, content, events }: Claim): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>(
    `SELECT ${EVENT_ROW}
     FROM (
       SELECT next.*, size.bytes,
              sum(size.bytes) FILTER (WHERE size.bytes <= ${MAX_BYTES})
                OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
       FROM jsonb_to_recordset($1::text::jsonb) AS owned (lane smallint, held bigint[], "heldEvents" uuid[], "full" text[])
       CROSS JOIN LATERAL (
         SELECT *, CASE WHEN $3 AND pg_column_size(payload) <= ${MAX_BYTES} THEN payload::text END AS content,
                CASE WHEN $3 AND pg_column_size(headers) <= ${MAX_BYTES} THEN headers::text END AS attributes
         ${events}
         LIMIT $2
       ) AS next
       CROSS JOIN LATERAL (SELECT coalesce(octet_length(content), pg_column_size(payload))
                                  + coalesce(octet_length(attributes), pg_column_size(headers)) AS bytes) AS size
     ) AS readable
     WHERE coalesce(bytes_before, 0) < ${MAX_BYTES}`,
    [JSON.stringify(lanes), perLane, content === 'with content'],
  )
  return rows
}

/**
 * Makes failed events due that have no due time (a writer by SQL may leave them so), or that were refused later than
 * now: the database's clock was set back since, and they would wait for as long as it was set back.
 */
export async function mendDueTimes({ db, schema }: Tables, lanes: number[]): Promise<void> {
  await db.query(
    `UPDATE ${schema}.events SET next_attempt_at = clock_timestamp(), failed_at = clock_timestamp()
     WHERE status = 'failed' AND (failed_at > clock_timestamp() OR next_attempt_at IS NULL)
       AND lane IN (SELECT given.lane::smallint FROM jsonb_array_elements_text($1::text::jsonb) AS given (lane))`,
    [JSON.stringify(lanes)],
  )
}

/**
 * Reads the content of events that a claim brought without it, in the order given. It estimates the text before
 * PostgreSQL prints it: a number of a few bytes may have 131,072 digits before the point or 16,383 after it, and
 * printing many of them takes minutes.
 */
export async function readContent({ db, schema }: Tables, events: readonly EventRow[]): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>(
    `SELECT ${EVENT_ROW}
     FROM (
       SELECT claimed.*, place, size.bytes,
              sum(size.bytes) FILTER (WHERE size.bytes <= ${MAX_BYTES})
                OVER (ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
       FROM ROWS FROM (jsonb_to_recordset($1::text::jsonb) AS (id bigint, "eventId" uuid))
            WITH ORDINALITY AS wanted (id, "eventId", place)
       CROSS JOIN LATERAL (
         SELECT event.*, estimate.bytes AS estimate,
                CASE WHEN estimate.bytes <= ${MAX_BYTES} THEN payload::text END AS content,
                CASE WHEN estimate.bytes <= ${MAX_BYTES} THEN headers::text END AS attributes
         FROM ${schema}.events AS event
         CROSS JOIN LATERAL (
           SELECT pg_column_size(jsonb_build_array(payload, headers))
                  + coalesce(sum(scale(number::numeric) + CASE WHEN abs(number::numeric) < 1e40 THEN 0 ELSE 131072 END), 0)
                  AS bytes
           FROM jsonb_path_query(jsonb_build_array(payload, headers), '$.** ? (@.type() == "number")') AS number
         ) AS estimate
         WHERE event.id = wanted.id AND event.event_id = wanted."eventId"
       ) AS claimed
       CROSS JOIN LATERAL (SELECT coalesce(octet_length(content) + octet_length(attributes), estimate) AS bytes) AS size
     ) AS readable
     WHERE coalesce(bytes_before, 0) < ${MAX_BYTES}
     ORDER BY place`,
    [JSON.stringify(events.map(({ id, eventId }) => ({ id, eventId })))],
  )
  return rows
}

/**
 * A row as text: how a driver would read a number, a time or JSON depends on settings of the session and the process.
 */
export interface EventRow {
  id: string
  eventId: string
  key: string
  lane: number
  type: string
  attempts: number
  redriven: number
  createdMs: string | null
  /** What payload and headers take as text. */
  bytes: number
  /** Both are null when they take more than `MAX_BYTES`, or were not asked for. */
  payload: string | null
  headers: string | null
}
