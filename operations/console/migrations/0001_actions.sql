-- Up Migration

CREATE SCHEMA console;

-- Who redrove or deleted what, why, when, and what became of it. The only state of the console.
CREATE TABLE console.actions (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  who         text        NOT NULL,
  what        text        NOT NULL CHECK (what IN ('redrive', 'delete')),
  source      text        NOT NULL CHECK (source IN ('events', 'deliveries', 'messages')),
  -- The reason that the items had in common.
  reason      text        NOT NULL,
  why         text        NOT NULL,
  rate        integer     NOT NULL,
  -- Outbox ids of events and deliveries, message ids of messages.
  ids         text[]      NOT NULL,
  -- The events that the items are about, where they are known.
  event_ids   uuid[]      NOT NULL,
  done        integer     NOT NULL DEFAULT 0,
  state       text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished', 'stopped')),
  finished_at timestamptz
);
