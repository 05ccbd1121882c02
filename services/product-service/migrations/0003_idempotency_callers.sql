-- Up Migration

-- A key is its caller's own: what another one's request was answered must not be replayed to whoever guesses the key.
-- A hash of the token's issuer and subject; empty where nobody signs in. The table has the keys of one day, so giving it
-- another index takes a moment.
ALTER TABLE idempotency_keys ADD COLUMN caller text NOT NULL DEFAULT '';
ALTER TABLE idempotency_keys
  DROP CONSTRAINT idempotency_keys_pkey,
  ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, key);
