import type { Tables } from './database.ts'
import type { OutboxEvent } from './send.ts'

/** A lane to read from, and the ids of it that are in memory already. */
export interface LaneToRead {
  lane: number
  held: string[]
}

/** Events are read into memory until they take this much (as stored, compressed): a thousand of 1 MiB must not. */
export const MAX_BYTES = 16 * 1024 * 1024

/**
 * Reads the next pending events: of each lane up to `perLane` in the order of their ids. A key with a failed event gives
 * nothing.
 *
 * It goes by status, never by "id above the last one": an event whose transaction took its id early and committed late
 * is found like any other. It writes nothing: owning the lane is what keeps other relays away.
 */
export async function claimPending(
  { db, schema }: Tables,
  lanes: LaneToRead[],
  perLane: number,
): Promise<OutboxEvent[]> {
  const { rows } = await db.query<OutboxEvent>(
    `SELECT id, event_id AS "eventId", key, lane, type, payload::text, headers, attempts, redriven_count AS redriven,
            created_at AS "createdAt"
     FROM (
       SELECT next.*, sum(pg_column_size(payload)) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
       FROM jsonb_to_recordset($1::jsonb) AS owned (lane smallint, held bigint[])
       CROSS JOIN LATERAL (
         SELECT * FROM ${schema}.events AS pending
         WHERE pending.status = 'pending' AND pending.lane = owned.lane
           AND pending.id <> ALL (owned.held)
           AND NOT EXISTS (SELECT FROM ${schema}.events AS failed WHERE failed.status = 'failed' AND failed.key = pending.key)
         ORDER BY pending.id
         LIMIT $2
       ) AS next
     ) AS readable
     WHERE coalesce(bytes_before, 0) < $3`,
    [JSON.stringify(lanes), perLane, MAX_BYTES],
  )
  return rows
}

/** Reads the failed events that are due: of each lane up to `perLane`, the longest due first, of each key the oldest. */
export async function claimDue({ db, schema }: Tables, lanes: LaneToRead[], perLane: number): Promise<OutboxEvent[]> {
  const { rows } = await db.query<OutboxEvent>(
    `SELECT id, event_id AS "eventId", key, lane, type, payload::text, headers, attempts, redriven_count AS redriven,
            created_at AS "createdAt"
     FROM (
       SELECT next.*, sum(pg_column_size(payload)) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
       FROM jsonb_to_recordset($1::jsonb) AS owned (lane smallint, held bigint[])
       CROSS JOIN LATERAL (
         SELECT * FROM ${schema}.events AS failed
         WHERE failed.status = 'failed' AND failed.lane = owned.lane AND failed.next_attempt_at <= clock_timestamp()
           AND failed.id <> ALL (owned.held)
           AND NOT EXISTS (SELECT FROM ${schema}.events AS earlier
                           WHERE earlier.status = 'failed' AND earlier.key = failed.key AND earlier.id < failed.id)
         ORDER BY failed.next_attempt_at
         LIMIT $2
       ) AS next
     ) AS readable
     WHERE coalesce(bytes_before, 0) < $3`,
    [JSON.stringify(lanes), perLane, MAX_BYTES],
  )
  return rows
}
