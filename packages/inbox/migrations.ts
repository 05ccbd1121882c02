import { rowsOf, type Sql } from './database.ts'

/** One step of the schema. Steps are numbered from 1 and never change once released. */
export interface Migration {
  name: string
  sql: (schema: string) => string
}

export const migrations: readonly Migration[] = [
  {
    name: '0001_inbox',
    sql: (schema) => `CREATE SCHEMA IF NOT EXISTS ${schema};

-- Which events were handled by which consumer. A row is written in the transaction that has the effect of the event.
CREATE TABLE ${schema}.handled_events (
  consumer     text        NOT NULL,
  event_id     text        NOT NULL,
  -- An event with the same id and other content is no duplicate, and the consumer says so.
  content_hash bigint      NOT NULL,
  handled_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (consumer, event_id)
);
-- For the deletion of old rows. Rows come in the order of time: a block range index is a thousandth of a B-tree.
CREATE INDEX handled_events_age ON ${schema}.handled_events USING brin (handled_at) WITH (pages_per_range = 16);

-- Only for consumers with ignoreStale: the sequence of the last event of each key that was handled.
CREATE TABLE ${schema}.last_sequences (
  consumer text    NOT NULL,
  key      text    NOT NULL,
  sequence numeric NOT NULL,
  PRIMARY KEY (consumer, key)
);

-- Why a message could not be handled, for the operator who finds it in the dead-letter queue. SQS keeps the id of a
-- message when it moves it there.
CREATE TABLE ${schema}.failed_messages (
  consumer        text        NOT NULL,
  message_id      text        PRIMARY KEY,
  -- None when the message was no event.
  event_id        text,
  reason          text        NOT NULL,
  failures        integer     NOT NULL DEFAULT 1,
  first_failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_failed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX failed_messages_age ON ${schema}.failed_messages (last_failed_at);
`,
  },
]

/** All steps for a migration tool of another kind, and the note that they ran, which `migrate` reads. */
export function allSql(schema: string): string {
  const steps = migrations.map(({ name, sql }) => `${sql(schema)}${noteOf(schema, name)}`)
  return steps.join('\n')
}

function noteOf(schema: string, name: string): string {
  return `
CREATE TABLE IF NOT EXISTS ${schema}.inbox_migrations (name text PRIMARY KEY, run_at timestamptz NOT NULL);
INSERT INTO ${schema}.inbox_migrations VALUES ('${name}', clock_timestamp());
`
}

/** What a role needs that runs a consumer, and no more. */
export function grants(schema: string, role: string): string {
  return `GRANT USAGE ON SCHEMA ${schema} TO ${role};
GRANT SELECT, INSERT, DELETE ON ${schema}.handled_events TO ${role};
GRANT SELECT, INSERT, UPDATE ON ${schema}.last_sequences TO ${role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.failed_messages TO ${role};
`
}

/** Any number will do that locks nothing else: two processes that start at once migrate one after the other. */
const MIGRATION_LOCK = 7_002

/**
 * Brings the inbox's tables in `schema` (a quoted name) up to date, in one transaction on `client`, which must not be in
 * one. Reads before it writes: when nothing is due it needs no right to create. Resolves with the names of what ran.
 */
export async function migrate(client: Sql, schema: string): Promise<string[]> {
  if ((await dueOf(client, schema)).length === 0) return []
  await client.query('BEGIN', [])
  try {
    await client.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    const due = await dueOf(client, schema)
    for (const { name, sql } of due) await client.query(sql(schema) + noteOf(schema, name), [])
    await client.query('COMMIT', [])
    return due.map(({ name }) => name)
  } catch (error) {
    await client.query('ROLLBACK', []).catch(() => {})
    throw error
  }
}

async function dueOf(client: Sql, schema: string): Promise<Migration[]> {
  const table = `${schema}.inbox_migrations`
  const [found] = rowsOf<{ there: boolean }>(await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]))
  if (!found?.there) return [...migrations]
  const rows = rowsOf<{ name: string }>(await client.query(`SELECT name FROM ${table}`, []))
  const ran = new Set(rows.map(({ name }) => name))
  return migrations.filter(({ name }) => !ran.has(name))
}
