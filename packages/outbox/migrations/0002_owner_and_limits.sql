-- Up Migration

-- The application whose events these are, remembered at its first start: a relay of another one refuses to start.
ALTER TABLE outbox_lanes ADD COLUMN owner text;

-- When the last try was refused. If it is later than now the clock was set back, and next_attempt_at can't be believed.
ALTER TABLE events ADD COLUMN failed_at timestamptz;

-- What no relay could ever send, or mark as failed (an index entry takes 2,704 bytes), is refused when it is written.
-- Only for pending events: a row from before these rules must still become dead. NOT VALID: no scan, no long lock.
ALTER TABLE events
  ADD CONSTRAINT events_key_length CHECK (status <> 'pending' OR octet_length(key) <= 1024) NOT VALID,
  ADD CONSTRAINT events_type_length CHECK (status <> 'pending' OR octet_length(type) <= 1024) NOT VALID,
  ADD CONSTRAINT events_headers_are_texts CHECK (
    status <> 'pending' OR (jsonb_typeof(headers) = 'object'
      AND NOT jsonb_path_exists(headers, 'strict $.* ? (@.type() != "string")'))) NOT VALID;
