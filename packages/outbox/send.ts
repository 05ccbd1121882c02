/** An event on its way out, as the relay hands it to `Send`. */
export interface OutboxEvent {
  /** A bigint in decimal digits: the events' order within a key. */
  id: string
  eventId: string
  key: string
  lane: number
  type: string
  /** JSON text, as PostgreSQL prints `jsonb`. */
  payload: string
  headers: Record<string, string>
  /** How many tries were refused before this one. */
  attempts: number
  /** How often a person had set it to pending again. */
  redriven: number
  /** When it was appended, by the database's clock. */
  createdAt: Date
}

/** What became of one event in one try. */
export type Outcome =
  | { kind: 'accepted' }
  /** This try was refused: an attempt is used up, and another follows unless it was the last. */
  | { kind: 'refused'; reason: string }
  /** It can never be accepted (too large, say): dead at once, with the reason. */
  | { kind: 'unacceptable'; reason: string }
  /** Not now: its destination is busy. It is tried again in `delayMs` and loses no attempt. Its key waits, no other. */
  | { kind: 'postponed'; reason: string; delayMs: number }
  /**
   * The broker failed at this event and says that the event is not to blame (SQS: `SenderFault: false`). It is retried
   * with backoff and loses no attempt; only its key waits. After an hour in which events of the same sends were
   * accepted the failure counts as the event's own.
   */
  | { kind: 'not-taken'; reason: string }

export interface SendResult {
  /** By event id. An event without an outcome counts as not sent: it loses no attempt and is tried again. */
  outcomes: Map<string, Outcome>
  /**
   * Why the broker could not judge some or all of them: connection, throttling, credentials. No event is to blame; the
   * relay backs off and goes on for as long as it takes.
   */
  outage?: string | undefined
}

/**
 * The one seam of the outbox: how a batch of events, no two of one key, reaches a broker. Another broker is another
 * function of this type. It must not resolve `accepted` before the broker has taken responsibility, and it must settle
 * within `SEND_TIMEOUT_MS`. After a rejection the relay sends halves of the batch until the culprit is alone: an event
 * is to blame only if another one is accepted. If all fail alike it is an outage. A `Send` that makes calls one after
 * the other, and may so take longer, asks `maySend` before each.
 *
 * Without events it only finds out whether the broker would take some: a relay asks so after an outage, when nothing is
 * left to send.
 */
export type Send = (events: readonly OutboxEvent[], maySend?: MaySend) => Promise<SendResult>

/** Whether the relay still owns the lane for at least `SEND_TIMEOUT_MS`. */
export type MaySend = (lane: number) => boolean

/** The longest a send may take. A send starts only while more than this is left of the relay's lease. */
export const SEND_TIMEOUT_MS = 5_000
