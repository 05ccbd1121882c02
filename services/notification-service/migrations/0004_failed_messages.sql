-- Up Migration

-- Why a message did not become a notification, for whoever finds it in the dead-letter queue. SQS keeps the id of a
-- message when it moves it there.
CREATE TABLE failed_messages (
  message_id      text        PRIMARY KEY,
  -- None when the message was no event.
  event_id        uuid,
  reason          text        NOT NULL,
  failures        integer     NOT NULL DEFAULT 1,
  first_failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_failed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX failed_messages_age ON failed_messages (last_failed_at);
