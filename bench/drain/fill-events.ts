import { query } from '../server.ts'
import { samplePayload } from './drainer.ts'

/**
 * Fills the outbox with so many processed events, the oldest first, a second apart, as if they had been sent. The
 * newest is from now.
 */
export async function fillProcessed(url: string, count: number): Promise<void> {
  await query(
    url,
    `INSERT INTO events (event_id, key, type, payload, status, created_at, processed_at)
     SELECT gen_random_uuid(), 'old-' || n, 'product.created', $2::jsonb, 'processed', at, at
     FROM generate_series(1, $1::int) AS n, LATERAL (SELECT now() - ($1::int - n) * interval '1 second' AS at) AS clock`,
    [count, JSON.stringify(samplePayload(0))],
  )
  await query(url, 'VACUUM ANALYZE events')
}

/** Adds so many pending events, each of a key of its own. */
export async function fillPending(url: string, count: number): Promise<void> {
  await query(
    url,
    `INSERT INTO events (event_id, key, type, payload)
     SELECT gen_random_uuid(), 'new-' || n, 'product.created', $2::jsonb FROM generate_series(1, $1::int) AS n`,
    [count, JSON.stringify(samplePayload(0))],
  )
}
