import { attemptBackoffMs, ATTEMPT_CAP_MS } from './backoff.ts'
import type { Tables } from './database.ts'
import { storableReason } from './reason.ts'
import type { Outcome, OutboxEvent } from './send.ts'

/** After this many refusals an event is dead: with the backoff between them that takes about nine minutes. */
export const MAX_ATTEMPTS = 10
/** Limits of the columns. */
const MAX_SMALLINT = 32_767
const MAX_DELAY_MS = 2_147_483_647

/** How long a refused event is retried. */
export interface Retries {
  /** Refusals after which the event is dead. */
  maxAttempts: number
  /** The longest pause between two tries, in milliseconds; before that, pauses double from one second on. */
  longestPauseMs: number
}

/** For a queue: it refuses a single message only for a lasting reason, which an operator should learn soon. */
export const QUEUE_RETRIES: Retries = { maxAttempts: MAX_ATTEMPTS, longestPauseMs: ATTEMPT_CAP_MS }

/** The new state of an event that was not accepted. */
export interface Rejection {
  event: OutboxEvent
  status: 'failed' | 'dead'
  reason: string
  /** Refusals by now. */
  attempts: number
  /** Until the next try, in milliseconds; 0 when there is none. */
  delayMs: number
}

/** Decides about an event that was not accepted: `failed` with a due time, or `dead`. */
export function rejection(
  event: OutboxEvent,
  outcome: Exclude<Outcome, { kind: 'accepted' | 'not-taken' }>,
  { maxAttempts, longestPauseMs }: Retries = QUEUE_RETRIES,
): Rejection {
  const reason = storableReason(outcome.reason)
  if (outcome.kind === 'postponed') {
    const delayMs = Math.min(MAX_DELAY_MS, Math.max(0, Math.round(outcome.delayMs) || 0))
    return { event, status: 'failed', reason, attempts: event.attempts, delayMs }
  }
  const attempts = Math.min(MAX_SMALLINT, event.attempts + 1)
  const dead = outcome.kind === 'unacceptable' || attempts >= maxAttempts
  return {
    event,
    status: dead ? 'dead' : 'failed',
    reason,
    attempts,
    delayMs: dead ? 0 : attemptBackoffMs(attempts, Math.random, longestPauseMs),
  }
}

/** An event by number and event id: after a failover to an earlier state the number may be that of another event. */
export type EventIds = Pick<OutboxEvent, 'id' | 'eventId'>
/** One sending of an event: an operator may have it sent once more. */
export type SentEvent = EventIds & Pick<OutboxEvent, 'redriven'>
/** `agoMs`: milliseconds since the broker accepted it. */
export type AcceptedEvent = SentEvent & { agoMs?: number }

/**
 * Marks accepted events, whichever relay owns the lanes by now: the acceptance is a fact. An event that an operator has
 * resent or redriven since stays as the operator left it: that answer was not to this sending.
 */
export async function settleAccepted({ db, schema }: Tables, events: readonly AcceptedEvent[]): Promise<void> {
  await db.query(
    `UPDATE ${schema}.events AS event
     SET status = 'processed', processed_at = clock_timestamp() - accepted.ago_ms * interval '1 millisecond',
         next_attempt_at = NULL
     FROM jsonb_to_recordset($1::text::jsonb) AS accepted (id bigint, event_id uuid, redriven smallint, ago_ms integer)
     WHERE event.id = accepted.id AND event.event_id = accepted.event_id
       AND event.redriven_count = accepted.redriven AND event.status <> 'processed'`,
    [
      JSON.stringify(
        events.map(({ id, eventId, redriven, agoMs = 0 }) => ({ id, event_id: eventId, redriven, ago_ms: agoMs })),
      ),
    ],
  )
}

/**
 * Marks events that the broker did not accept. An event that another relay has settled since (this one was frozen past
 * its lease) is left as that relay left it, and one that an operator has redriven since as that operator did.
 */
export async function settleRejected({ db, schema }: Tables, rejections: readonly Rejection[]): Promise<void> {
  await db.query(
    `UPDATE ${schema}.events AS event
     SET status = rejected.status, attempts = rejected.attempts, last_error = rejected.reason,
         failed_at = clock_timestamp(),
         next_attempt_at = CASE rejected.status
           WHEN 'failed' THEN clock_timestamp() + rejected.delay_ms * interval '1 millisecond' END
     FROM jsonb_to_recordset($1::text::jsonb)
       AS rejected (id bigint, event_id uuid, status text, attempts_before smallint, attempts smallint,
                    redriven smallint, reason text, delay_ms integer)
     WHERE event.id = rejected.id AND event.event_id = rejected.event_id AND event.status IN ('pending', 'failed')
       AND event.attempts = rejected.attempts_before AND event.redriven_count = rejected.redriven`,
    [
      JSON.stringify(
        rejections.map(({ event, status, attempts, reason, delayMs }) => ({
          id: event.id,
          event_id: event.eventId,
          status,
          attempts_before: event.attempts,
          redriven: event.redriven,
          attempts,
          reason,
          delay_ms: delayMs,
        })),
      ),
    ],
  )
}
