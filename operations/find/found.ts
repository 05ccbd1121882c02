/**
 * What a search gives: data for the screen of `npm run find`, its `--json`, and the console. Times are those stored.
 */

export interface OutboxRow {
  /** Of the row, a bigint in decimal digits. */
  id: string
  event_id: string
  key: string
  lane: number
  type: string
  payload: unknown
  headers: Record<string, string>
  status: 'pending' | 'processed' | 'failed' | 'dead'
  attempts: number
  created_at: Date
  processed_at: Date | null
  next_attempt_at: Date | null
  last_error: string | null
  redriven_count: number
  redriven_at: Date | null
  redriven_by: string | null
}

export interface NotificationRow {
  id: string
  event_id: string
  event_type: string
  product_id: string
  title: string
  message: string
  sequence: string
  occurred_at: Date
  received_at: Date
}

/** A message that the consumer could not handle, as it noted it. */
export interface FailedMessage {
  message_id: string
  event_id: string | null
  reason: string
  failures: number
  first_failed_at: Date
  last_failed_at: Date
}

/** One delivery of a notification to a webhook or a mailbox. */
export interface Delivery {
  /** Of its row in the outbox of notification-service. */
  id: string
  /** `webhook:shop`. */
  destination: string
  status: OutboxRow['status']
  attempts: number
  created_at: Date
  delivered_at: Date | null
  next_attempt_at: Date | null
  last_error: string | null
}

/** Messages in a queue, as SQS counts them: approximately. */
export interface Depth {
  visible: number
  in_flight: number
  delayed: number
}

/** Who sends the events of a lane. */
export type LaneOwner =
  | { kind: 'owned'; relay: string; lease_seconds: number }
  | { kind: 'lease-over'; relay: string; since_seconds: number }
  | { kind: 'free' }

/** Where an event is now. */
export type Place =
  /** In the outbox, not published yet. `ahead`: older pending events of the lane, counted up to 10,000. */
  | { at: 'outbox'; state: 'pending'; owner: LaneOwner; ahead: number; sqs: QueueAnswer }
  /** In the outbox behind an older event of its key that was refused. */
  | { at: 'outbox'; state: 'blocked'; by: { id: string; last_error: string | null; next_attempt_at: Date | null } }
  /** Refused by SQS; the relay retries. */
  | { at: 'outbox'; state: 'failed'; attempts: number; last_error: string | null; next_attempt_at: Date | null }
  /** Not retried until an operator acts. */
  | { at: 'outbox'; state: 'dead'; attempts: number; last_error: string | null }
  /** Published, and the consumer has not stored it. */
  | { at: 'queue'; state: 'waiting'; sqs: QueueAnswer }
  /** The consumer received it and failed; SQS shows it again. */
  | { at: 'queue'; state: 'failing'; failure: FailedMessage; max_receives: number }
  /** Moved to the dead-letter queue: `seen` there, or by its count of failures. */
  | { at: 'dead-letter-queue'; message_id: string; seen: boolean; reason: string | null }
  /** Published and not stored, and the queue is empty: its message is lost (a queue purged, a database restored). */
  | { at: 'lost' }
  /** Stored; deliveries are under way or abandoned. */
  | { at: 'channels'; state: 'delivering' | 'retrying' | 'abandoned'; deliveries: Delivery[] }
  /** Stored, and every delivery made. */
  | { at: 'notified' }
  /** A source that would know does not answer. */
  | { at: 'unknown'; missing: string[] }

export type QueueAnswer =
  { kind: 'depth'; queue: Depth; dead_letters: Depth } | { kind: 'no-answer'; reason: string } | { kind: 'not-asked' }

/** One event and its way. What is null is not stored, not reached yet, or no longer kept. */
export interface EventWay {
  event_id: string
  type: string
  product_id: string
  sequence: string | null
  written_at: Date | null
  accepted_at: Date | null
  stored_at: Date | null
  row: OutboxRow | null
  notification: NotificationRow | null
  failure: FailedMessage | null
  deliveries: Delivery[]
  trace_id: string | null
  place: Place
}

/** What a search cost, and how far it went. */
export interface Looked {
  milliseconds: number
  /** Probes of the primary key. */
  probes: number
  /** Rows of the outbox that were compared. */
  rows: number
  /** How far back a scan went; null if everything that is kept was looked through. */
  since: Date | null
  /** Sources that gave no answer, and why. */
  missing: { source: 'products' | 'notifications' | 'sqs'; reason: string }[]
}

export type Found =
  | { kind: 'event'; way: EventWay; looked: Looked }
  /** Of a product by sequence; of a trace by time. `more`: older ones exist. */
  | { kind: 'events'; of: 'product' | 'trace'; id: string; ways: EventWay[]; more: boolean; looked: Looked }
  /** A message that belongs to no event of the outbox. */
  | { kind: 'message'; message_id: string; failure: FailedMessage | null; body: string | null; looked: Looked }
  | { kind: 'not-found'; looked: Looked }
  | { kind: 'no-id'; expected: string }
