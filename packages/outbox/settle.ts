import { attemptBackoffMs, ATTEMPT_CAP_MS } from './backoff.ts'
import type { Tables } from './database.ts'
import type { Outcome, OutboxEvent } from './send.ts'

/** After this many refused tries somebody has to look: with the backoff between them that is about nine minutes. */
export const MAX_ATTEMPTS = 10

/** How long a refused event is tried for. */
export interface Retries {
  /** Refused tries after which the event is dead. */
  maxAttempts: number
  /** The longest pause between two of them, in milliseconds; before that, pauses double from one second on. */
  longestPauseMs: number
}

/** What fits a queue: it refuses a single message only for a lasting reason, and somebody should hear of it soon. */
export const QUEUE_RETRIES: Retries = { maxAttempts: MAX_ATTEMPTS, longestPauseMs: ATTEMPT_CAP_MS }

/** Reasons are for people: the first lines say it. */
const MAX_REASON_LENGTH = 1_000

/** What an event that was not accepted became. */
export interface Rejection {
  event: OutboxEvent
  status: 'failed' | 'dead'
  reason: string
  /** Refused tries by now. */
  attempts: number
  /** Until the next try, in milliseconds; 0 when there is none. */
  delayMs: number
}

/** Decides what an event that was not accepted becomes: `failed` with a due time, or `dead`. */
export function rejection(
  event: OutboxEvent,
  outcome: Exclude<Outcome, { kind: 'accepted' }>,
  { maxAttempts, longestPauseMs }: Retries = QUEUE_RETRIES,
): Rejection {
  const reason = outcome.reason.slice(0, MAX_REASON_LENGTH)
  if (outcome.kind === 'postponed')
    return { event, status: 'failed', reason, attempts: event.attempts, delayMs: outcome.delayMs }
  const attempts = event.attempts + 1
  const dead = outcome.kind === 'unacceptable' || attempts >= maxAttempts
  return {
    event,
    status: dead ? 'dead' : 'failed',
    reason,
    attempts,
    delayMs: dead ? 0 : attemptBackoffMs(attempts, Math.random, longestPauseMs),
  }
}

/** Marks what the broker accepted, by the ids it accepted, whoever owns their lanes by now: it is a fact. */
export async function settleAccepted({ db, schema }: Tables, ids: string[]): Promise<void> {
  await db.query(
    `UPDATE ${schema}.events SET status = 'processed', processed_at = clock_timestamp(), next_attempt_at = NULL
     WHERE id = ANY ($1::bigint[]) AND status <> 'processed'`,
    [ids],
  )
}

/**
 * Marks what the broker did not accept. An event that another relay has settled since (this one was frozen past its lease) is
 * left as that relay left it, and one that a person has redriven since as that person did.
 */
export async function settleRejected({ db, schema }: Tables, rejections: Rejection[]): Promise<void> {
  await db.query(
    `UPDATE ${schema}.events AS event
     SET status = rejected.status, attempts = rejected.attempts, last_error = rejected.reason,
         next_attempt_at = CASE rejected.status
           WHEN 'failed' THEN clock_timestamp() + rejected.delay_ms * interval '1 millisecond' END
     FROM jsonb_to_recordset($1::jsonb)
       AS rejected (id bigint, status text, attempts_before smallint, attempts smallint, redriven smallint,
                     reason text, delay_ms integer)
     WHERE event.id = rejected.id AND event.status IN ('pending', 'failed')
       AND event.attempts = rejected.attempts_before AND event.redriven_count = rejected.redriven`,
    [
      JSON.stringify(
        rejections.map(({ event, status, attempts, reason, delayMs }) => ({
          id: event.id,
          status,
          attempts_before: event.attempts,
          redriven: event.redriven,
          attempts,
          reason: reason.replaceAll('\u0000', ''),
          delay_ms: delayMs,
        })),
      ),
    ],
  )
}
