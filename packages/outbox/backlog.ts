import type { Tables } from './database.ts'
import { LANES } from './lanes.ts'

export interface Backlog {
  pending: number
  failed: number
  dead: number
  oldestSeconds: number
}

export const UNKNOWN_BACKLOG: Backlog = { pending: NaN, failed: NaN, dead: NaN, oldestSeconds: NaN }

/**
 * Counts through the partial indexes, which hold the backlog only: processed events cost nothing. Each
 * status is counted up to `upTo` events.
 */
export async function backlog({ db, schema }: Tables, upTo: number): Promise<Backlog> {
  const { rows } = await db.query<Omit<Backlog, 'oldestSeconds'> & { oldestMs: string }>(
    `SELECT (SELECT count(*)::int FROM (SELECT FROM ${schema}.events WHERE status = 'pending' LIMIT $1) AS counted) AS pending,
            (SELECT count(*)::int FROM (SELECT FROM ${schema}.events WHERE status = 'failed' LIMIT $1) AS counted) AS failed,
            (SELECT count(*)::int FROM (SELECT FROM ${schema}.events WHERE status = 'dead' LIMIT $1) AS counted) AS dead,
            coalesce(1000 * extract(epoch FROM clock_timestamp() - (
              SELECT min(oldest.created_at) FROM generate_series(0, $2::int - 1) AS lane CROSS JOIN LATERAL (
                (SELECT created_at FROM ${schema}.events WHERE status = 'pending' AND events.lane = lane.lane ORDER BY id LIMIT 1)
                UNION ALL
                (SELECT min(created_at) FROM ${schema}.events WHERE status = 'failed' AND events.lane = lane.lane)
              ) AS oldest)), 0)::bigint::text AS "oldestMs"`,
    [upTo, LANES],
  )
  const [{ oldestMs, ...counts } = { ...UNKNOWN_BACKLOG, oldestMs: 'NaN' }] = rows
  return { ...counts, oldestSeconds: Number(oldestMs) / 1000 }
}
