import type { Tables } from './database.ts'

export type Status = 'pending' | 'processed' | 'failed' | 'dead'

/** An event as people see it, without its content. */
export interface EventLine {
  id: string
  event_id: string
  key: string
  type: string
  status: Status
  attempts: number
  /** RFC 3339, UTC, as all times here: how a driver reads a time depends on the session. */
  created_at: string
  last_error: string | null
}

/** An event with everything that is known of it. */
export interface EventRecord extends EventLine {
  lane: number
  payload: unknown
  headers: Record<string, string>
  failed_at: string | null
  next_attempt_at: string | null
  processed_at: string | null
  redriven_count: number
  redriven_at: string | null
  redriven_by: string | null
}

/**
 * Events by their ids (bigint, by the primary key) and event ids (UUID, by reading the table: it has no such index).
 */
export async function findEvents(tables: Tables, ids: string[], eventIds: string[]): Promise<EventRecord[]> {
  const byId = ids.length === 0 ? [] : await findById(tables, ids)
  const byEventId = eventIds.length === 0 ? [] : await findByEventId(tables, eventIds)
  return [...new Map([...byId, ...byEventId].map((event) => [event.id, event])).values()]
}

async function findById({ db, schema }: Tables, ids: string[]): Promise<EventRecord[]> {
  const { rows } = await db.query<EventRecord>(
    `SELECT id::text, event_id::text, key, lane, type, payload, headers, status, attempts, last_error, redriven_count, redriven_by,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
            to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS failed_at,
            to_char(next_attempt_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS next_attempt_at,
            to_char(processed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS processed_at,
            to_char(redriven_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS redriven_at
     FROM ${schema}.events AS event
     WHERE id = ANY ($1::bigint[])
     ORDER BY event.id`,
    [ids],
  )
  return rows
}

async function findByEventId({ db, schema }: Tables, eventIds: string[]): Promise<EventRecord[]> {
  const { rows } = await db.query<EventRecord>(
    `SELECT id::text, event_id::text, key, lane, type, payload, headers, status, attempts, last_error, redriven_count, redriven_by,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at,
            to_char(failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS failed_at,
            to_char(next_attempt_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS next_attempt_at,
            to_char(processed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS processed_at,
            to_char(redriven_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS redriven_at
     FROM ${schema}.events AS event
     WHERE event_id = ANY ($1::uuid[])
     ORDER BY event.id`,
    [eventIds],
  )
  return rows
}

export interface Filter {
  status: Status
  key?: string | undefined
  type?: string | undefined
}

/** One page of events, oldest first, after the id `after`. */
export function listEvents(tables: Tables, filter: Filter, after: string, limit: number): Promise<EventLine[]> {
  return filter.status === 'processed'
    ? listProcessed(tables, filter, after, limit)
    : listBacklog(tables, filter, after, limit)
}

/** Along the primary key, of which most is processed. */
async function listProcessed(
  { db, schema }: Tables,
  { key, type }: Filter,
  after: string,
  limit: number,
): Promise<EventLine[]> {
  const { rows } = await db.query<EventLine>(
    `SELECT id::text, event_id::text, key, type, status, attempts, last_error,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
     FROM ${schema}.events AS event
     WHERE status = 'processed' AND ($1::text IS NULL OR key = $1) AND ($2::text IS NULL OR type = $2) AND id > $3
     ORDER BY event.id
     LIMIT $4`,
    [key, type, after, limit],
  )
  return rows
}

/**
 * Through the partial index of the status. `id + 0` keeps the planner off the primary key: it expects to find the few
 * soon there, and they stand behind all that is processed.
 */
async function listBacklog(
  { db, schema }: Tables,
  { status, key, type }: Filter,
  after: string,
  limit: number,
): Promise<EventLine[]> {
  const { rows } = await db.query<EventLine>(
    `SELECT id::text, event_id::text, key, type, status, attempts, last_error,
            to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
     FROM ${schema}.events AS event
     WHERE status = $1 AND ($2::text IS NULL OR key = $2) AND ($3::text IS NULL OR type = $3) AND id > $4
     ORDER BY event.id + 0
     LIMIT $5`,
    [status, key, type, after, limit],
  )
  return rows
}

/** The ids of all dead events, oldest first. */
export async function deadIds({ db, schema }: Tables): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id::text FROM ${schema}.events AS event WHERE status = 'dead' ORDER BY event.id`,
    [],
  )
  return rows.map(({ id }) => id)
}
