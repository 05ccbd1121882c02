import type { OutboxEvent } from '@product-events/outbox'
import type pg from 'pg'

/**
 * Marks deliveries that were accepted after the relay had ended. Without it the next process would make them again. The
 * relay postponed each of them, so each is `failed` and due soon.
 */
export async function settleLate(pool: pg.Pool, accepted: readonly OutboxEvent[]): Promise<void> {
  if (accepted.length === 0) return
  await pool.query(
    `UPDATE public.events SET status = 'processed', processed_at = clock_timestamp(), next_attempt_at = NULL
     WHERE (id, event_id) IN (SELECT * FROM unnest($1::bigint[], $2::uuid[])) AND status = 'failed'`,
    [accepted.map(({ id }) => id), accepted.map(({ eventId }) => eventId)],
  )
}
