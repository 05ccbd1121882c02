import type { InboxEvent, Message } from './event.ts'
import type { FailedEntry } from './messages.ts'

/** Reports of a consumer about its work, for logs and metrics. A state is reported once when it changes. */
export type InboxReport<Event extends InboxEvent = InboxEvent> =
  /** A poll brought these. */
  | { kind: 'received'; messages: readonly Message[] }
  /** A batch is done: handled, and deleted as far as SQS did so. */
  | { kind: 'handled'; messages: number; seconds: number }
  /** So many receivers are at work. */
  | { kind: 'receivers'; active: number }
  /** The effect is durable. `delaySeconds`: from the event's time on, if the store knows it. */
  | { kind: 'stored'; event: Event; message: Message; delaySeconds: number | undefined }
  /** The event was handled before. `differs`: an event with the same id but other content; it is not handled. */
  | { kind: 'duplicate'; event: Event; message: Message; differs: boolean }
  /** A later event of the same key was handled before (only with `ignoreStale`). */
  | { kind: 'stale'; event: Event; message: Message }
  /** Its type has no handler. */
  | { kind: 'unhandled'; event: Event; message: Message }
  /** Only this event fails. Its message is left to the dead-letter queue. */
  | { kind: 'refused'; event: Event; message: Message; error: Error }
  /** The message is not an event. It is left to the dead-letter queue. */
  | { kind: 'invalid'; message: Message; reason: string }
  /** Nothing can be stored, or nothing of one type can be handled. Messages are held until it is over. */
  | { kind: 'away'; what: AwayPart; reason: string }
  | { kind: 'back'; what: AwayPart; awayMs: number }
  /** SQS did not delete these: they come again and will be duplicates. */
  | { kind: 'not-deleted'; entries: readonly FailedEntry[] }
  /** SQS did not keep these hidden: another receiver may get them. */
  | { kind: 'not-hidden'; entries: readonly FailedEntry[] }
  /** Records past their retention were deleted. */
  | { kind: 'pruned'; events: number }

/** The part that fails: `database`, `queue`, `parse`, or `handler <type>` when all events of a type fail alike. */
export type AwayPart = 'database' | 'queue' | 'parse' | `handler ${string}`

export type Report<Event extends InboxEvent = InboxEvent> = (report: InboxReport<Event>) => void

/** Calls an observer (log, metrics, traces). Its error never reaches the path of an event. */
export type Guard = <Result>(call: () => Result) => Result | undefined

/** The first failure of an observer is a warning of the process; the others are the same again. */
export function createGuard(): Guard {
  let warned = false
  function failed(error: unknown): undefined {
    if (warned) return
    warned = true
    process.emitWarning(`An observer of the inbox threw, which changes nothing for events: ${String(error)}`)
  }
  return (call) => {
    try {
      const result = call()
      if (result instanceof Promise) void result.catch(failed)
      return result
    } catch (error) {
      return failed(error)
    }
  }
}
