import type { Tables } from './database.ts'

/** How many lanes there are: as many as the migration makes and its `lane` column's expression yields (a test compares). More would make relays share more evenly, but a
 * claim looks into each; 64 are even enough for a dozen relays, and one relay sends faster than SQS takes. */
export const LANES = 64

/** Puts a relay among the living. `leaseMs` from now, by the database's clock, it counts as gone. */
export async function register({ db, schema }: Tables, relay: string, name: string, leaseMs: number): Promise<void> {
  await db.query(
    `INSERT INTO ${schema}.outbox_relays (id, name, expires_at)
     VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')`,
    [relay, name, leaseMs],
  )
}

/** False when the lease had run out already: then another relay may own the lanes, and this one must start anew. */
export async function renew({ db, schema }: Tables, relay: string, leaseMs: number): Promise<boolean> {
  const { rows } = await db.query(
    `UPDATE ${schema}.outbox_relays SET expires_at = clock_timestamp() + $2 * interval '1 millisecond'
     WHERE id = $1 AND expires_at > clock_timestamp()
     RETURNING id`,
    [relay, leaseMs],
  )
  return rows.length === 1
}

/**
 * Buries relays whose lease has run out, which frees their lanes. The row lock decides against a renewal that comes at
 * the same moment: whichever is second finds the row changed and does nothing.
 */
export async function buryExpired({ db, schema }: Tables): Promise<void> {
  await db.query(
    `DELETE FROM ${schema}.outbox_relays WHERE id IN (
       SELECT id FROM ${schema}.outbox_relays WHERE expires_at < clock_timestamp() ORDER BY id FOR UPDATE SKIP LOCKED)`,
    [],
  )
}

/** How many relays are alive, and which lanes are `relay`'s. */
export async function census({ db, schema }: Tables, relay: string): Promise<{ relays: number; lanes: number[] }> {
  const { rows } = await db.query<{ relays: number; lanes: number[] }>(
    `SELECT (SELECT count(*)::int FROM ${schema}.outbox_relays WHERE expires_at > clock_timestamp()) AS relays,
            ARRAY(SELECT lane FROM ${schema}.outbox_lanes WHERE relay = $1 ORDER BY lane) AS lanes`,
    [relay],
  )
  return rows[0] ?? { relays: 0, lanes: [] }
}

/** Takes up to `count` free lanes and tells which. Rejects (23503) when the relay was buried in the meantime. */
export async function takeFree({ db, schema }: Tables, relay: string, count: number): Promise<number[]> {
  const { rows } = await db.query<{ lane: number }>(
    `UPDATE ${schema}.outbox_lanes SET relay = $1
     WHERE lane IN (SELECT lane FROM ${schema}.outbox_lanes WHERE relay IS NULL ORDER BY lane LIMIT $2 FOR UPDATE SKIP LOCKED)
     RETURNING lane`,
    [relay, count],
  )
  return rows.map((row) => row.lane)
}

/** How many lanes nobody sends from, as of now: each of them is free, or its relay's lease has run out. */
export async function lanesWithoutRelay({ db, schema }: Tables): Promise<number> {
  const { rows } = await db.query<{ lanes: number }>(
    `SELECT count(*)::int AS lanes
     FROM ${schema}.outbox_lanes LEFT JOIN ${schema}.outbox_relays ON outbox_relays.id = relay AND expires_at > clock_timestamp()
     WHERE outbox_relays.id IS NULL`,
    [],
  )
  return rows[0]?.lanes ?? NaN
}

export async function giveUp({ db, schema }: Tables, relay: string, lanes: number[]): Promise<void> {
  await db.query(`UPDATE ${schema}.outbox_lanes SET relay = NULL WHERE relay = $1 AND lane = ANY ($2::smallint[])`, [
    relay,
    lanes,
  ])
}

/** Takes a relay from among the living, which frees its lanes at once. */
export async function deregister({ db, schema }: Tables, relay: string): Promise<void> {
  await db.query(`DELETE FROM ${schema}.outbox_relays WHERE id = $1`, [relay])
}
