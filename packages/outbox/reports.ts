import type { OutboxEvent } from './send.ts'

/**
 * Reports of a relay about its work, for logs and metrics. States are reported once when they change, not once per try.
 */
export type RelayReport =
  /** The broker accepted these, at `at` (milliseconds since the epoch, by this process's clock). */
  | { kind: 'published'; events: OutboxEvent[]; at: number }
  /** One event was refused; it is retried in `delayMs`. */
  | { kind: 'failed'; event: OutboxEvent; reason: string; delayMs: number }
  /** One event was not taken for a reason that is not its own: it loses no attempt, and is retried in `delayMs`. */
  | { kind: 'postponed'; event: OutboxEvent; reason: string; delayMs: number }
  /** One event is dead: an operator has to act. */
  | { kind: 'dead'; event: OutboxEvent; reason: string }
  /** The broker has judged one event, and the database refuses to mark it so. It is tried again every 30 seconds. */
  | { kind: 'unsettled'; event: OutboxEvent; reason: string }
  /** The broker is unreachable, or takes nothing. */
  | { kind: 'broker-away'; reason: string }
  | { kind: 'broker-back'; awayMs: number }
  | { kind: 'database-away'; reason: string }
  | { kind: 'database-back'; awayMs: number }
  /** Wake-ups of other processes do not arrive although the database answers: the relay polls for their events. */
  | { kind: 'wake-ups-lost'; reason: string }
  | { kind: 'wake-ups-back'; awayMs: number }
  /** The relay now owns this many of all lanes. */
  | { kind: 'lanes'; owned: number; of: number }
  /** A pass over the processed events past their retention ended, at `at`, and deleted so many: none, mostly. */
  | { kind: 'pruned'; events: number; at: number }
  /** These passes fail. */
  | { kind: 'pruning-failed'; reason: string }
  | { kind: 'pruning-resumed'; awayMs: number }

export type Report = (report: RelayReport) => void

/** An observer never touches the path: what `report` throws, at once or later, is dropped. */
export function harmless(report: Report): Report {
  return (message) => {
    try {
      // Type `void` takes async functions too, whose rejection would end the process.
      Promise.resolve(report(message) as unknown).catch(() => {})
    } catch {
      // Dropped, see above.
    }
  }
}
