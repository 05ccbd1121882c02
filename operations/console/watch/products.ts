import type pg from 'pg'
import { withDates } from '../../database.ts'

type Database = Pick<pg.Pool, 'query'>

/** An event as its outbox has it. */
export interface EventRow {
  id: string
  event_id: string
  type: string
  key: string
  lane: number
  name: string | null
  sequence: string | null
  status: 'pending' | 'processed' | 'failed' | 'dead'
  attempts: number
  last_error: string | null
  created_at: Date
  next_attempt_at: Date | null
  processed_at: Date | null
}

/** Enough for a screen; older ones are found, not watched. */
const NEWEST = 40
/** Events that wait are shown although they are old. */
const OLDEST_WAITING = 12

/** The newest events, and the oldest of those that are not processed, newest first. */
export async function travellingEvents(db: Database): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>(
    `SELECT DISTINCT ON (id) id, event_id, type, key, lane, payload->'data'->>'name' AS name,
            payload->>'sequence' AS sequence, status, attempts, left(last_error, 500) AS last_error,
            to_json(created_at) AS created_at, to_json(next_attempt_at) AS next_attempt_at, to_json(processed_at) AS processed_at
     FROM (
       (SELECT * FROM public.events ORDER BY id DESC LIMIT $1)
       UNION ALL
       (SELECT * FROM public.events WHERE status = 'pending' ORDER BY lane, id LIMIT $2)
       UNION ALL
       (SELECT * FROM public.events WHERE status = 'failed' ORDER BY lane, next_attempt_at LIMIT $2)
       UNION ALL
       (SELECT * FROM public.events WHERE status = 'dead' ORDER BY id DESC LIMIT $2)
     ) AS travelling
     ORDER BY id DESC`,
    [NEWEST, OLDEST_WAITING],
  )
  return withDates(rows, 'created_at', 'next_attempt_at', 'processed_at')
}

export interface Backlog {
  pending: number
  failed: number
  dead: number
  oldest_seconds: number
}

/** Beyond this the number is "250000 or more": counting further would cost a second of the database. */
const COUNT_UP_TO = 250_000

/** Of the outbox in `db`, through the partial indexes. */
export async function readBacklog(db: Database): Promise<Backlog> {
  const { rows } = await db.query<Backlog>(
    `SELECT (SELECT count(*)::int FROM (SELECT FROM public.events WHERE status = 'pending' LIMIT $1) AS counted) AS pending,
            (SELECT count(*)::int FROM (SELECT FROM public.events WHERE status = 'failed' LIMIT $1) AS counted) AS failed,
            (SELECT count(*)::int FROM (SELECT FROM public.events WHERE status = 'dead' LIMIT $1) AS counted) AS dead,
            coalesce(extract(epoch FROM clock_timestamp() - (
              SELECT min(oldest.created_at) FROM generate_series(0, 63) AS lane CROSS JOIN LATERAL (
                (SELECT created_at FROM public.events WHERE status = 'pending' AND events.lane = lane.lane ORDER BY id LIMIT 1)
                UNION ALL
                (SELECT min(created_at) FROM public.events WHERE status = 'failed' AND events.lane = lane.lane)
              ) AS oldest)), 0)::float8 AS oldest_seconds`,
    [COUNT_UP_TO],
  )
  return rows[0] ?? { pending: 0, failed: 0, dead: 0, oldest_seconds: 0 }
}

export interface Lanes {
  /** The owner of each lane, by its id; null when it has none whose lease runs. */
  owners: (string | null)[]
  relays: { id: string; name: string; lease_seconds: number }[]
}

export async function readLanes(db: Database): Promise<Lanes> {
  const { rows: relays } = await db.query<Lanes['relays'][number]>(
    `SELECT id, name, extract(epoch FROM expires_at - clock_timestamp())::float8 AS lease_seconds
     FROM public.outbox_relays ORDER BY name, id`,
  )
  const { rows } = await db.query<{ relay: string | null }>('SELECT relay FROM public.outbox_lanes ORDER BY lane')
  return { owners: rows.map(({ relay }) => relay), relays }
}
