import { createSchema, quotedName } from '@product-events/database/names'
import { runSteps, sqlOfSteps, type Steps } from '@product-events/database/steps'
import type { Sql } from './database.ts'

/** One step of the schema. Steps are numbered from 1 and never change once released. */
export interface Migration {
  name: string
  /** The SQL for the schema of this name, which it quotes. It needs no `search_path`, and runs in a transaction. */
  sql: (schema: string) => string
}

export const migrations: readonly Migration[] = [{ name: '0001_inbox', sql: (schema) => tables(schema) }]

function tables(name: string): string {
  const schema = quotedName(name)
  return `${createSchema(name)}
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
`
}

const steps: Steps = {
  of: 'inbox',
  table: 'inbox_migrations',
  columns: 'name text PRIMARY KEY, run_at timestamptz NOT NULL',
  note: (name) => `VALUES ('${name}', clock_timestamp())`,
  steps: migrations,
}

/** Brings the tables in `schema` up to date, see `Inbox.migrate`. */
export function migrate(target: Sql | string, schema: string): Promise<string[]> {
  return runSteps(target, schema, steps)
}

/** All steps for a migration tool of another kind, with the notes that `migrate` reads, and the rights of `role`. */
export function sqlOf(schema: string, role?: string): string {
  return sqlOfSteps(schema, steps) + (role === undefined ? '' : `\n${grants(quotedName(schema), quotedName(role))}`)
}

/** The least rights of a role that runs a consumer. */
function grants(schema: string, role: string): string {
  return `GRANT USAGE ON SCHEMA ${schema} TO ${role};
GRANT SELECT ON ${schema}.inbox_migrations TO ${role};
GRANT SELECT, INSERT, DELETE ON ${schema}.handled_events TO ${role};
GRANT SELECT, INSERT, UPDATE ON ${schema}.last_sequences TO ${role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.failed_messages TO ${role};
`
}
