-- Up Migration

-- What the event said, as a number: an event with the same id and other content is no duplicate, and the service says so.
-- None for rows of earlier versions.
ALTER TABLE public.notifications ADD COLUMN content_hash bigint;

-- The table that `@product-events/inbox` expects. Earlier versions that still run write to it as before.
ALTER TABLE public.failed_messages
  ADD COLUMN consumer text NOT NULL DEFAULT 'notification-service',
  ALTER COLUMN event_id TYPE text;
