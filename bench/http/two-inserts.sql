-- The plain transaction: no HTTP, no driver, nothing shared.
\set price random(1, 100000)
BEGIN;
INSERT INTO products (id, name, description, price, version, created_at, updated_at)
VALUES (gen_random_uuid(), 'Green tea', 'From the hills', :price / 100.0, 1, now(), now());
INSERT INTO events (event_id, key, type, payload)
VALUES (gen_random_uuid(), gen_random_uuid()::text, 'product.created',
        '{"specversion":"1.0","id":"01997c1e-0000-7000-8000-000000000000","source":"/product-service","type":"product.created","subject":"01997c1e-0000-7000-8000-000000000001","time":"2026-01-31T12:00:00.000Z","datacontenttype":"application/json","sequence":"1","data":{"id":"01997c1e-0000-7000-8000-000000000001","name":"Green tea","description":"From the hills","price":4.5,"version":1,"created_at":"2026-01-31T12:00:00.000Z","updated_at":"2026-01-31T12:00:00.000Z"}}');
COMMIT;
