import { createSchema, quotedName, quotedText } from '@product-events/database/names'

/** One step of the schema. Steps are numbered from 1 and never change once released. */
export interface Migration {
  name: string
  /** The SQL for the schema of this name, which it quotes. It needs no `search_path`, and runs in a transaction. */
  sql: (schema: string) => string
}

/** The outbox's tables, step by step: for `outbox.migrate`, `outbox.sql`, and migration tools of other kinds. */
export const migrations: readonly Migration[] = [
  { name: '0001_outbox', sql: (schema) => tables(schema) },
  { name: '0002_owner_and_limits', sql: (schema) => ownerAndLimits(quotedName(schema)) },
]

/** The table, in the schema of the outbox, that remembers which steps ran. */
export const MIGRATIONS_TABLE = 'outbox_migrations'

/** The steps for an outbox in the schema `public`, as a set for `migrate` of the `database` package. */
export const outboxMigrations = {
  table: MIGRATIONS_TABLE,
  migrations: migrations.map(({ name, sql }) => ({ name, sql: sql('public') })),
}

function tables(name: string): string {
  const schema = quotedName(name)
  return `${createSchema(name)}
-- One row an event. The README of the package draws its life.
CREATE TABLE ${schema}.events (
  id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- What consumers know the event by. No index: it would cost a quarter of the relay's speed (every status change writes
  -- to every index), and only a person looks an event up by it.
  event_id        uuid        NOT NULL,
  -- Events of one key leave in the order of their ids; events of two keys in any order.
  key             text        NOT NULL,
  -- Relays share out the lanes. Generated, so that no writer, in whatever language, can get it wrong. hashtextextended is
  -- what PostgreSQL's own hash partitions are laid out by: it does not change between versions.
  lane            smallint    NOT NULL GENERATED ALWAYS AS ((hashtextextended(key, 0) & 63)::smallint) STORED,
  type            text        NOT NULL,
  payload         jsonb       NOT NULL,
  headers         jsonb       NOT NULL DEFAULT '{}',
  status          text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processed', 'failed', 'dead')),
  -- Tries in which the broker refused this very event. Outages do not count.
  attempts        smallint    NOT NULL DEFAULT 0,
  next_attempt_at timestamptz,
  last_error      text,
  -- clock_timestamp, not now(): the age of an event counts from when it was written, not from when its transaction began.
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  processed_at    timestamptz,
  -- How often a person set a dead event to pending again, and who did it last, and when.
  redriven_count  smallint    NOT NULL DEFAULT 0,
  redriven_at     timestamptz,
  redriven_by     text
);

-- Events that are still to be sent, in the order of sending. It holds only the backlog, so a claim costs the same however
-- many processed events there are. Failed events stand apart: waiting ones are not even looked at before they are due.
CREATE INDEX events_pending ON ${schema}.events (lane, id) WHERE status = 'pending';
CREATE INDEX events_failed_due ON ${schema}.events (lane, next_attempt_at) WHERE status = 'failed';
-- Which keys are blocked by a failed event.
CREATE INDEX events_failed_key ON ${schema}.events (key, id) WHERE status = 'failed';
-- For the operator.
CREATE INDEX events_dead ON ${schema}.events (id) WHERE status = 'dead';

${vacuumSettings(schema)}
-- The relays that are alive. One whose lease has run out may be deleted by any other, and only that frees its lanes.
CREATE TABLE ${schema}.outbox_relays (
  id         uuid        PRIMARY KEY,
  name       text        NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Who may send the events of which lane. A lane without a relay is free.
CREATE TABLE ${schema}.outbox_lanes (
  lane  smallint PRIMARY KEY,
  relay uuid REFERENCES ${schema}.outbox_relays (id) ON DELETE SET NULL
);
INSERT INTO ${schema}.outbox_lanes (lane) SELECT generate_series(0, 63);
`
}

function vacuumSettings(schema: string): string {
  return `-- Every row is written once and updated once, and then deleted: vacuum must follow the traffic, not the size. If you
-- partition the table, each partition has these settings of its own.
DO $outbox$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT oid FROM pg_class
    WHERE relkind = 'r' AND oid IN (
      SELECT ${quotedText(`${schema}.events`)}::regclass
      UNION ALL
      SELECT relid FROM pg_partition_tree(${quotedText(`${schema}.events`)}))
  LOOP
    EXECUTE format('ALTER TABLE %s SET (
      autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
      autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
      autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)', part);
  END LOOP;
END $outbox$;
`
}

function ownerAndLimits(schema: string): string {
  return `-- The application whose events these are, remembered at its first start: a relay of another one refuses to start.
ALTER TABLE ${schema}.outbox_lanes ADD COLUMN owner text;

-- When the last try was refused. If it is later than now the clock was set back, and next_attempt_at can't be believed.
ALTER TABLE ${schema}.events ADD COLUMN failed_at timestamptz;

-- What no relay could ever send, or mark as failed (an index entry takes 2,704 bytes), is refused when it is written.
-- Only for pending events: a row from before these rules must still become dead. NOT VALID: no scan, no long lock.
ALTER TABLE ${schema}.events
  ADD CONSTRAINT events_key_length CHECK (status <> 'pending' OR octet_length(key) <= 1024) NOT VALID,
  ADD CONSTRAINT events_type_length CHECK (status <> 'pending' OR octet_length(type) <= 1024) NOT VALID,
  ADD CONSTRAINT events_headers_are_texts CHECK (
    status <> 'pending' OR (jsonb_typeof(headers) = 'object'
      AND NOT jsonb_path_exists(headers, 'strict $.* ? (@.type() != "string")'))) NOT VALID;
`
}
