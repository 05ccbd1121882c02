-- Up Migration

CREATE TABLE products (
  -- UUIDv7: time comes first, so the order of the ids is the order in which products were made (within a millisecond:
  -- any order, but always the same), and the primary key serves the list as well.
  id          uuid           PRIMARY KEY,
  name        text           NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
  description text           NOT NULL CHECK (char_length(description) <= 2000),
  price       numeric(12, 2) NOT NULL CHECK (price >= 0),
  -- 1, 2, …: the sequence of the event that told of this state.
  version     integer        NOT NULL,
  -- Milliseconds, as in JSON: what is read is what was answered when it was written.
  created_at  timestamptz(3) NOT NULL,
  updated_at  timestamptz(3) NOT NULL
);
