import type { Tables } from './database.ts'

/** SQLSTATEs of a table, a column or a schema that is not there. */
const MISSING = ['42P01', '42703', '3F000']

/** The outbox can't be used as it is: no retry helps, an operator has to act. One line. */
export class OutboxRefused extends Error {}

/**
 * Makes sure that the tables are there, that they are new enough, and that they belong to `owner`, which is remembered
 * at the first call. Rejects with an `OutboxRefused` otherwise, and with the database's error when that is unreachable.
 */
export async function claimOutbox(tables: Tables, owner?: string): Promise<void> {
  try {
    await readTables(tables)
    if (owner === undefined) return
    const known = await rememberOwner(tables, owner)
    if (known !== owner)
      throw new OutboxRefused(
        `The outbox in schema ${tables.schema} belongs to ${known}, so ${owner} can't use it. Give each application a database or a schema of its own.`,
      )
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code === undefined || !MISSING.includes(code)) throw error
    throw new OutboxRefused(
      `The outbox in schema ${tables.schema} is missing or too old (${message}). Run the migrations.`,
    )
  }
}

/** Fails when a table is not there, or lacks a column: it may be another one of that name. */
async function readTables({ db, schema }: Tables): Promise<void> {
  await db.query(
    `SELECT event_id, key, events.lane, type, payload, headers, status, attempts, next_attempt_at, last_error, created_at,
            processed_at, redriven_count, failed_at, outbox_lanes.relay, owner, name, expires_at
     FROM ${schema}.events, ${schema}.outbox_lanes, ${schema}.outbox_relays LIMIT 0`,
    [],
  )
}

/**
 * Returns the owner, which is `owner` if there was none. Of two that come at the same time the second waits for the
 * first at the row of lane 0 and finds its name.
 */
async function rememberOwner(tables: Tables, owner: string): Promise<string> {
  const known = await ownerOf(tables)
  if (known !== null) return known
  const { db, schema } = tables
  await db.query(
    `UPDATE ${schema}.outbox_lanes SET owner = $1
     WHERE owner IS NULL AND lane IN (SELECT lane FROM ${schema}.outbox_lanes ORDER BY lane FOR UPDATE)`,
    [owner],
  )
  return (await ownerOf(tables)) ?? owner
}

async function ownerOf({ db, schema }: Tables): Promise<string | null> {
  const { rows } = await db.query<{ owner: string | null }>(
    `SELECT owner FROM ${schema}.outbox_lanes ORDER BY lane LIMIT 1`,
    [],
  )
  return rows[0]?.owner ?? null
}
