import { rowsOf, type Sql } from './database.ts'
import type { Entry } from './group-commit.ts'

/** Whose records, and where: the schema's name is quoted. */
export interface RecordTarget {
  schema: string
  consumer: string
}

export type Recorded = { kind: 'new' } | { kind: 'duplicate'; differs: boolean }

/**
 * Remembers the events of the entries as handled, in the caller's transaction. Resolves with which of them are new, in
 * their order; an event that is there twice is new once. Only `(consumer, event_id)` makes a duplicate: another
 * constraint is an error. Parameters stand in the order of their numbers, once each, for libraries that know only `?`.
 */
export async function record(sql: Sql, target: RecordTarget, entries: readonly Entry[]): Promise<Recorded[]> {
  const first = new Map<string, Entry>()
  for (const entry of entries) if (!first.has(entry.event.id)) first.set(entry.event.id, entry)
  const events = [...first.values()].map(({ event, content }) => ({ id: event.id, content }))
  const rows = rowsOf<{ id: string; content: string }>(
    await sql.query(
      `WITH event AS (
         SELECT id, content FROM jsonb_to_recordset($1::text::jsonb) AS event (id text, content bigint)
       ), recorded AS (
         INSERT INTO ${target.schema}.handled_events (consumer, event_id, content_hash)
         SELECT $2::text, id, content FROM event ORDER BY id
         ON CONFLICT (consumer, event_id) DO NOTHING
         RETURNING event_id
       )
       SELECT event_id AS id FROM recorded`,
      [JSON.stringify(events), target.consumer],
    ),
  )
  const isNew = new Set(rows.map(({ id }) => id))
  const known = [...first.keys()].filter((id) => !isNew.has(id))
  const contents = known.length > 0 ? await contentsOf(sql, target, known) : new Map<string, string>()
  return entries.map((entry) => {
    const { id } = entry.event
    const original = first.get(id)
    if (isNew.has(id) && original === entry) return { kind: 'new' }
    const content = isNew.has(id) ? original?.content : contents.get(id)
    return { kind: 'duplicate', differs: content !== undefined && content !== entry.content }
  })
}

async function contentsOf(sql: Sql, target: RecordTarget, ids: string[]): Promise<Map<string, string>> {
  const rows = rowsOf<{ id: string; content: string }>(
    await sql.query(
      `SELECT event_id AS id, content_hash::text AS content
       FROM ${target.schema}.handled_events
       WHERE event_id IN (SELECT jsonb_array_elements_text($1::text::jsonb)) AND consumer = $2::text`,
      [JSON.stringify(ids), target.consumer],
    ),
  )
  return new Map(rows.map(({ id, content }) => [id, content]))
}

/** Locks the last sequence of each key until the commit, and resolves with them: 0 for a key that is new. */
export async function lockSequences(
  sql: Sql,
  target: RecordTarget,
  entries: readonly Entry[],
): Promise<Map<string, bigint>> {
  const keys = entries.flatMap(({ event: { key, sequence } }) =>
    key === undefined || sequence === undefined ? [] : [key],
  )
  if (keys.length === 0) return new Map()
  const rows = rowsOf<{ key: string; sequence: string }>(
    await sql.query(
      // In the order of keys, so that two processes never wait for each other.
      `INSERT INTO ${target.schema}.last_sequences AS last (consumer, key, sequence)
       SELECT DISTINCT $1::text, key, 0
       FROM jsonb_array_elements_text($2::text::jsonb) AS key
       ORDER BY key
       ON CONFLICT (consumer, key) DO UPDATE SET sequence = last.sequence
       RETURNING key, sequence::text`,
      [target.consumer, JSON.stringify(keys)],
    ),
  )
  return new Map(rows.map(({ key, sequence }) => [key, BigInt(sequence)]))
}

export async function saveSequences(sql: Sql, target: RecordTarget, last: ReadonlyMap<string, bigint>): Promise<void> {
  if (last.size === 0) return
  const sequences = [...last].map(([key, sequence]) => ({ key, sequence: String(sequence) }))
  await sql.query(
    `UPDATE ${target.schema}.last_sequences AS last
     SET sequence = event.sequence
     FROM jsonb_to_recordset($1::text::jsonb) AS event (key text, sequence numeric)
     WHERE last.consumer = $2::text AND last.key = event.key AND last.sequence < event.sequence`,
    [JSON.stringify(sequences), target.consumer],
  )
}
