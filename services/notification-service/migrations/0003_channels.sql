-- Up Migration

-- Webhook endpoints that answered 410 Gone and get nothing any more. Deleting the row enables the endpoint again.
CREATE TABLE disabled_endpoints (
  endpoint    text        PRIMARY KEY,
  reason      text        NOT NULL,
  disabled_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
