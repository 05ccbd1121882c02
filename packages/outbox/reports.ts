import type { OutboxEvent } from './send.ts'

/** What a relay tells of its work, for logs and metrics. States are told once when they change, not once per try. */
export type RelayReport =
  /** The broker accepted these, at `at` (milliseconds since the epoch, by this process's clock). */
  | { kind: 'published'; events: OutboxEvent[]; at: number }
  /** One event was refused; it is tried again in `delayMs`. */
  | { kind: 'failed'; event: OutboxEvent; reason: string; delayMs: number }
  /** One event was not tried, since its destination is busy; it loses no attempt. */
  | { kind: 'postponed'; event: OutboxEvent; reason: string; delayMs: number }
  /** One event is dead: somebody has to look. */
  | { kind: 'dead'; event: OutboxEvent; reason: string }
  /** The broker can't be reached, or takes nothing from anybody. */
  | { kind: 'broker-away'; reason: string }
  | { kind: 'broker-back'; awayMs: number }
  | { kind: 'database-away'; reason: string }
  | { kind: 'database-back'; awayMs: number }
  /** The relay now owns this many of all lanes. */
  | { kind: 'lanes'; owned: number; of: number }
  /** Processed events past their retention were deleted. */
  | { kind: 'pruned'; events: number }

export type Report = (report: RelayReport) => void
