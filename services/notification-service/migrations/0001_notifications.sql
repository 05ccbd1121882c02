-- Up Migration

-- One row a notification, and the memory of which events were handled: `event_id` is the inbox. A table of handled ids
-- of its own would cost a second insert and a second unique index for every event, and would pay only if notifications
-- were deleted sooner than SQS can bring an event back (14 days in the queue, and again after a redrive). Whoever deletes
-- old notifications must keep that much.
CREATE TABLE notifications (
  -- The order of commits, not only of inserts: the storing statement takes a lock before it draws its positions (see
  -- store.ts). A reader that has seen a position will never find a new row below it, so it can resume from there.
  -- Duplicates draw positions too and leave gaps.
  position    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id          uuid        NOT NULL UNIQUE,
  event_id    uuid        NOT NULL UNIQUE,
  event_type  text        NOT NULL,
  product_id  uuid        NOT NULL,
  title       text        NOT NULL,
  message     text        NOT NULL,
  -- All nineteen digits that an event may have: the largest do not fit a bigint.
  sequence    numeric(19) NOT NULL,
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Rows are written once and never changed: what vacuum has to follow is the inserts, not the size.
ALTER TABLE notifications SET (
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000
);
