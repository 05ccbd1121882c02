import type { Tables } from './database.ts'

/** How many lanes there are: as many as the migration makes, and its `lane` column's expression yields (a test
 * compares). More would make relays share more evenly, but a claim looks into each; 64 are even enough for a dozen
 * relays. */
export const LANES = 64

/** The database's clock, in milliseconds since the epoch. */
export type ClockMs = number

/** Adds a relay, whose lease ends `leaseMs` from now by the database's clock. */
export async function register({ db, schema }: Tables, relay: string, name: string, leaseMs: number): Promise<ClockMs> {
  const { rows } = await db.query<{ clock: string }>(
    `INSERT INTO ${schema}.outbox_relays (id, name, expires_at)
     VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
     RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS clock`,
    [relay, name, leaseMs],
  )
  return Number(rows[0]?.clock)
}

/** Undefined when the lease had run out already: then another relay may own the lanes, and this one must start over. */
export async function renew({ db, schema }: Tables, relay: string, leaseMs: number): Promise<ClockMs | undefined> {
  const { rows } = await db.query<{ clock: string }>(
    `UPDATE ${schema}.outbox_relays SET expires_at = clock_timestamp() + $2 * interval '1 millisecond'
     WHERE id = $1 AND expires_at > clock_timestamp()
     RETURNING (extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS clock`,
    [relay, leaseMs],
  )
  return rows[0] && Number(rows[0].clock)
}

/**
 * Deletes relays whose lease has run out, which frees their lanes. The row lock decides against a renewal that comes at
 * the same moment: the second one finds the row changed and does nothing.
 */
export async function deleteExpiredRelays({ db, schema }: Tables): Promise<void> {
  await db.query(
    `DELETE FROM ${schema}.outbox_relays WHERE id IN (
       SELECT id FROM ${schema}.outbox_relays WHERE expires_at < clock_timestamp() ORDER BY id FOR UPDATE SKIP LOCKED)`,
    [],
  )
}

/** A lease that ends later than a lease can: the database's clock was set back since it was written. */
export interface LateLease {
  relay: string
  /** The version of its row, which changes with each renewal. */
  version: string
}

export interface RelayCount {
  relays: number
  /** The lanes of the relay that asks. */
  lanes: number[]
  /** How many relays have a lease that ran out. */
  expired: number
  /** How many relays have a lease that ends too late. */
  late: number
  /** How many lanes the table has. */
  existing: number
}

/** How many relays are alive, and which lanes are `relay`'s. */
export async function countRelays({ db, schema }: Tables, relay: string, leaseMs: number): Promise<RelayCount> {
  const { rows } = await db.query<RelayCount>(
    `SELECT (SELECT count(*)::int FROM ${schema}.outbox_relays WHERE expires_at > clock_timestamp()) AS relays,
            (SELECT count(*)::int FROM ${schema}.outbox_relays WHERE expires_at < clock_timestamp()) AS expired,
            (SELECT count(*)::int FROM ${schema}.outbox_relays
             WHERE expires_at > clock_timestamp() + $2 * interval '1 millisecond') AS late,
            (SELECT count(*)::int FROM ${schema}.outbox_lanes) AS existing,
            ARRAY(SELECT lane FROM ${schema}.outbox_lanes WHERE relay = $1 ORDER BY lane) AS lanes`,
    [relay, leaseMs],
  )
  return rows[0] ?? { relays: 0, lanes: [], expired: 0, late: 0, existing: LANES }
}

/** Makes lanes again that are missing, as after a TRUNCATE by mistake: their events would wait without end. */
export async function restoreLanes({ db, schema }: Tables): Promise<void> {
  await db.query(
    `INSERT INTO ${schema}.outbox_lanes (lane) SELECT generate_series(0, $1::int - 1) ON CONFLICT (lane) DO NOTHING`,
    [LANES],
  )
}

export async function lateLeases({ db, schema }: Tables, leaseMs: number): Promise<LateLease[]> {
  const { rows } = await db.query<LateLease>(
    `SELECT id::text AS relay, xmin::text AS version
     FROM ${schema}.outbox_relays
     WHERE expires_at > clock_timestamp() + $1 * interval '1 millisecond'`,
    [leaseMs],
  )
  return rows
}

/** Deletes a relay that did not renew its lease since that was looked at. */
export async function deleteSilentRelay({ db, schema }: Tables, { relay, version }: LateLease): Promise<void> {
  await db.query(`DELETE FROM ${schema}.outbox_relays WHERE id = $1 AND xmin::text = $2`, [relay, version])
}

/** Takes over up to `count` free lanes and returns them. Rejects (23503) when the relay was deleted in the meantime. */
export async function takeFree({ db, schema }: Tables, relay: string, count: number): Promise<number[]> {
  const { rows } = await db.query<{ lane: number }>(
    `UPDATE ${schema}.outbox_lanes SET relay = $1
     WHERE lane IN (
       SELECT lane FROM ${schema}.outbox_lanes WHERE relay IS NULL ORDER BY lane LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING lane`,
    [relay, count],
  )
  return rows.map((row) => row.lane)
}

/**
 * How many lanes have no relay now: each of them is free or missing, or its relay's lease has run out or ends later
 * than a lease can (a living relay corrects that within two seconds).
 */
export async function lanesWithoutRelay({ db, schema }: Tables, leaseMs: number): Promise<number> {
  const { rows } = await db.query<{ lanes: number }>(
    `SELECT $2::int - count(*)::int AS lanes
     FROM ${schema}.outbox_lanes JOIN ${schema}.outbox_relays ON outbox_relays.id = relay
       AND expires_at > clock_timestamp() AND expires_at <= clock_timestamp() + $1 * interval '1 millisecond'`,
    [leaseMs, LANES],
  )
  return rows[0]?.lanes ?? NaN
}

export async function giveUp({ db, schema }: Tables, relay: string, lanes: number[]): Promise<void> {
  await db.query(
    `UPDATE ${schema}.outbox_lanes SET relay = NULL
     WHERE relay = $1 AND lane IN (SELECT given.lane::smallint FROM jsonb_array_elements_text($2::text::jsonb) AS given (lane))`,
    [relay, JSON.stringify(lanes)],
  )
}

/** Deletes a relay that stops, which frees its lanes at once. */
export async function deregister({ db, schema }: Tables, relay: string): Promise<void> {
  await db.query(`DELETE FROM ${schema}.outbox_relays WHERE id = $1`, [relay])
}
