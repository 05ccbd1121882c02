-- Up Migration

-- The first answer to a request with an Idempotency-Key, written in the transaction of what the request did.
CREATE TABLE idempotency_keys (
  key          text        PRIMARY KEY,
  -- Tells the same request from another one under the same key.
  request_hash text        NOT NULL,
  status       smallint    NOT NULL,
  headers      jsonb       NOT NULL,
  -- As text: it is sent again byte for byte.
  body         text        NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);

-- The way to those that are old enough to be forgotten.
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
