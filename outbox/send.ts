/** An event on its way out, as the relay hands it to `Send`. */
export interface OutboxEvent {
  /** The events' order within a key. */
  id: bigint
  eventId: string
  key: string
  type: string
  /** JSON text, as PostgreSQL prints `jsonb`. */
  payload: string
  headers: Record<string, string>
  /** How many tries were refused before this one. */
  attempts: number
  /** When it was appended, by the database's clock. */
  createdAt: Date
}

/** What became of one event in one try. */
export type Outcome =
  | { kind: 'accepted' }
  /** This try was refused: an attempt is used up, another follows unless it was the last. */
  | { kind: 'refused'; reason: string }
  /** It can never be accepted (too large, say): dead at once, with the reason. */
  | { kind: 'unacceptable'; reason: string }

/**
 * What became of one call:
 * - `answered`: the broker judged the events one by one. An event without an outcome counts as not sent, and is tried again.
 * - `outage`: the call as a whole failed (connection, throttling, credentials). No event is to blame, so none loses an
 *   attempt; the relay backs off and goes on for as long as it takes.
 */
export type SendResult = { kind: 'answered'; outcomes: Map<bigint, Outcome> } | { kind: 'outage'; reason: string }

/**
 * The one seam of the outbox: how a batch of events, no two of one key, reaches a broker. Another broker is another
 * function of this type. It must not throw (a throw counts as an outage), must not resolve `accepted` before the broker
 * has taken responsibility, and must settle well within a lease (10 s).
 */
export type Send = (events: readonly OutboxEvent[]) => Promise<SendResult>
