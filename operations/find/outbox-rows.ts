import { type Database, withDates } from '../database.ts'
import type { OutboxRow } from './found.ts'

/** What a search has cost so far. */
export interface Cost {
  probes: number
  rows: number
}

/** Before the moment of an id: the clocks of a service and of PostgreSQL agree about to that. */
const CLOSE_MS = 20
/** From there on. */
const CLOSE_ROWS = 500
/**
 * On either side, if the event is not among those: at 1,000 events a second it is found with clocks twelve seconds
 * apart, or written twelve seconds late.
 */
const WIDE_ROWS = 12_500
/** Transactions commit in another order than they draw their ids. */
const EARLIER_ROWS = 125
/** Events that are published and not stored are among the newest, unless the consumer is hours behind. */
export const NEWEST = 50_000
/** The most rows that a scan by time compares: about two seconds. */
const SCAN_ROWS = 500_000
const COLUMNS = `id, event_id, key, lane, type, payload, headers, status, attempts, last_error,
  to_json(created_at) AS created_at, to_json(processed_at) AS processed_at, to_json(next_attempt_at) AS next_attempt_at,
  redriven_count, to_json(redriven_at) AS redriven_at, redriven_by`
const TIMES = ['created_at', 'processed_at', 'next_attempt_at', 'redriven_at'] as const

/** The event with that id, or that event of a product: both are UUIDv7, so their time leads to at most 25,500 rows. */
export async function findNear(db: Database, id: string, at: Date, cost: Cost): Promise<OutboxRow[]> {
  const first = await firstIdAt(db, new Date(at.getTime() - CLOSE_MS), cost)
  if (first === null) return []
  cost.rows += CLOSE_ROWS
  const found = await inWindow(db, id, { first, skip: -EARLIER_ROWS, size: CLOSE_ROWS })
  if (found.length > 0) return found
  cost.rows += 2 * WIDE_ROWS
  // Two connections read half of the rows each.
  const [before, after] = await Promise.all(
    [-WIDE_ROWS, 0].map((skip) => inWindow(db, id, { first, skip, size: WIDE_ROWS })),
  )
  return [...before!, ...after!]
}

/**
 * The first id of an event written at or after `at`: a binary search over the primary key, which follows time, in one
 * statement. Null when there is no event at all; one above the last id when none is that young.
 */
export async function firstIdAt(db: Database, at: Date, cost: Cost): Promise<string | null> {
  const { rows } = await db.query<{ first: string | null; probes: number }>(
    `WITH RECURSIVE ends AS (
       SELECT (SELECT id FROM public.events ORDER BY id LIMIT 1) AS lowest,
              (SELECT id FROM public.events ORDER BY id DESC LIMIT 1) AS highest
     ), search AS (
       -- A writer by SQL may have used the largest number there is: nothing here goes beyond it.
       SELECT lowest AS low, least(highest, 9223372036854775806) + 1 AS high, 0 AS probes FROM ends
       UNION ALL
       SELECT CASE WHEN found.created_at < $1 THEN greatest(least(found.id, 9223372036854775806) + 1, search.low) ELSE search.low END,
              CASE WHEN found.created_at < $1 THEN search.high ELSE middle.id END,
              search.probes + 1
       FROM search
       CROSS JOIN LATERAL (SELECT search.low / 2 + search.high / 2 + (search.low % 2 + search.high % 2) / 2 AS id) AS middle
       CROSS JOIN LATERAL (
         SELECT id, created_at FROM public.events WHERE events.id >= middle.id ORDER BY events.id LIMIT 1
       ) AS found
       WHERE search.low < search.high
     )
     SELECT low AS first, probes FROM search ORDER BY probes DESC LIMIT 1`,
    [at],
  )
  cost.probes += rows[0]?.probes ?? 0
  return rows[0]?.first ?? null
}

/** Of `size` ids, from `skip` after `first` on. */
async function inWindow(
  db: Database,
  id: string,
  { first, skip, size }: { first: string; skip: number; size: number },
): Promise<OutboxRow[]> {
  const { rows } = await db.query<OutboxRow>(
    `SELECT ${COLUMNS}
     FROM public.events
     WHERE id >= greatest($2::bigint, -9223372036854000000) + $3::bigint
       AND id < least($2::bigint, 9223372036854000000) + $3::bigint + $4::bigint
       AND (event_id = $1::text::uuid OR key = $1::text)
     ORDER BY id
     LIMIT 100`,
    [id, first, skip, size],
  )
  return withDates(rows, ...TIMES)
}

export async function findRow(db: Database, id: string): Promise<OutboxRow | undefined> {
  const { rows } = await db.query<OutboxRow>(`SELECT ${COLUMNS} FROM public.events WHERE id = $1`, [id])
  return withDates(rows, ...TIMES)[0]
}

/**
 * The events of a key that are not published, through the partial indexes; of a very long backlog the oldest 50,000.
 */
export async function findUnpublished(db: Database, key: string, limit: number): Promise<OutboxRow[]> {
  const { rows } = await db.query<OutboxRow>(
    `SELECT ${COLUMNS} FROM (
       (SELECT * FROM (
          SELECT * FROM public.events AS pending
          WHERE pending.status = 'pending' AND pending.lane = (pg_catalog.hashtextextended($1, 0) & 63)::smallint
          ORDER BY pending.id LIMIT $3) AS of_lane
        WHERE of_lane.key = $1)
       UNION ALL
       (SELECT * FROM public.events AS failed WHERE failed.status = 'failed' AND failed.key = $1)
       UNION ALL
       (SELECT * FROM (
          SELECT * FROM public.events AS dead WHERE dead.status = 'dead' ORDER BY dead.id DESC LIMIT $3) AS youngest
        WHERE youngest.key = $1)
     ) AS of_key
     ORDER BY id
     LIMIT $2`,
    [key, limit, NEWEST],
  )
  return withDates(rows, ...TIMES)
}

/** The events of a key among the newest 50,000 of the outbox, whatever their status. */
export async function findAmongNewest(db: Database, key: string, limit: number, cost: Cost): Promise<OutboxRow[]> {
  cost.rows += NEWEST
  const { rows } = await db.query<OutboxRow>(
    `SELECT ${COLUMNS} FROM public.events
     WHERE id > (SELECT max(id) FROM public.events) - $3::bigint AND key = $1
     ORDER BY id DESC
     LIMIT $2`,
    [key, limit, NEWEST],
  )
  return withDates(rows, ...TIMES)
}

/**
 * Events with an id of another origin, or of a trace: by reading what was written since `since`, and at most 500,000
 * rows.
 */
export async function scanSince(
  db: Database,
  wanted: { eventId: string } | { traceId: string },
  since: Date,
  cost: Cost,
): Promise<OutboxRow[]> {
  const first = await firstIdAt(db, since, cost)
  if (first === null) return []
  const { rows } = await db.query<OutboxRow & { last: string; compared: string }>(
    `SELECT ${COLUMNS}
     FROM (SELECT * FROM public.events WHERE id >= $1 ORDER BY id DESC LIMIT $4) AS recent
     WHERE event_id = $2::uuid OR headers ->> 'traceparent' LIKE $3
     ORDER BY id
     LIMIT 100`,
    [
      first,
      'eventId' in wanted ? wanted.eventId : null,
      'traceId' in wanted ? `%-${wanted.traceId}-%` : null,
      SCAN_ROWS,
    ],
  )
  const ends = await db.query<{ count: string }>(
    'SELECT greatest(coalesce(max(id), 0)::numeric - $1::bigint + 1, 0)::text AS count FROM public.events',
    [first],
  )
  cost.rows += Math.min(SCAN_ROWS, Number(ends.rows[0]?.count ?? 0))
  return withDates(rows, ...TIMES)
}

export interface Lane {
  relay: string | null
  lease_seconds: number | null
  ahead: number
  blocked_by: string | null
  blocked_error: string | null
  blocked_until: Date | null
}

/** Why a pending event is not published yet: who owns its lane, what is before it. */
export async function readLane(db: Database, row: OutboxRow): Promise<Lane> {
  const { rows } = await db.query<Lane>(
    `SELECT relays.name AS relay, extract(epoch FROM relays.expires_at - clock_timestamp())::float8 AS lease_seconds,
            (SELECT count(*)::int FROM (
               SELECT FROM public.events AS older
               WHERE older.status = 'pending' AND older.lane = $1 AND older.id < $3 LIMIT 10000) AS counted) AS ahead,
            blocking.id AS blocked_by, blocking.last_error AS blocked_error, to_json(blocking.next_attempt_at) AS blocked_until
     FROM (SELECT) AS one
     LEFT JOIN public.outbox_lanes AS lanes ON lanes.lane = $1
     LEFT JOIN public.outbox_relays AS relays ON relays.id = lanes.relay
     LEFT JOIN LATERAL (
       SELECT id, last_error, next_attempt_at FROM public.events AS failed
       WHERE failed.status = 'failed' AND failed.key = $2 AND failed.id < $3 ORDER BY failed.id LIMIT 1
     ) AS blocking ON true`,
    [row.lane, row.key, row.id],
  )
  return withDates(rows, 'blocked_until')[0]!
}
