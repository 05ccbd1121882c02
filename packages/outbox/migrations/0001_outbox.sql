-- Up Migration

-- One row an event. Its life is drawn in packages/outbox/README.md.
CREATE TABLE events (
  id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- What consumers know the event by. No index: it would cost a quarter of the relay's speed (every status change writes
  -- to every index), and only a person looks an event up by it.
  event_id        uuid        NOT NULL,
  -- Events of one key leave in the order of their ids; events of two keys in any order.
  key             text        NOT NULL,
  -- What relays share out among themselves. Generated, so that no writer, in whatever language, can get it wrong.
  -- hashtextextended is what PostgreSQL's own hash partitions are laid out by: it does not change between versions.
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

-- What is still to be sent, in the order of sending. It holds only the backlog, so a claim costs the same however many
-- processed events there are. Failed events stand apart: waiting ones are not even looked at before they are due.
CREATE INDEX events_pending ON events (lane, id) WHERE status = 'pending';
CREATE INDEX events_failed_due ON events (lane, next_attempt_at) WHERE status = 'failed';
-- Which keys are held back by a failed event.
CREATE INDEX events_failed_key ON events (key, id) WHERE status = 'failed';
-- What a person has to look at.
CREATE INDEX events_dead ON events (id) WHERE status = 'dead';

-- Every row is written once and updated once, and then deleted: vacuum must follow the traffic, not the size.
ALTER TABLE events SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
);

-- The relays that are alive. One whose lease has run out may be deleted by any other, and only that frees its lanes.
CREATE TABLE outbox_relays (
  id         uuid        PRIMARY KEY,
  name       text        NOT NULL,
  expires_at timestamptz NOT NULL
);

-- Who may send the events of which lane. A lane without a relay is free.
CREATE TABLE outbox_lanes (
  lane  smallint PRIMARY KEY,
  relay uuid REFERENCES outbox_relays (id) ON DELETE SET NULL
);
INSERT INTO outbox_lanes (lane) SELECT generate_series(0, 63);
