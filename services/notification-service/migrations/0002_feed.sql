-- Up Migration

-- The pages of one product and of one type, which are read in the order of positions. Types are few, and PostgreSQL keeps
-- equal keys of an index only once.
CREATE INDEX notifications_by_product ON notifications (product_id, position);
CREATE INDEX notifications_by_type ON notifications (event_type, position);
