import type { InboxEvent, Message } from './event.ts'

/** What handling one message has to do with its trace: see `@product-events/inbox/opentelemetry`. */
export interface MessageTrace {
  /** Adds the attributes that are known once the message is parsed. */
  parsed(event: InboxEvent): void
  /** The event is on its way into the database. */
  storing(): void
  /** Handling is over; with the reason if it failed. */
  end(failure?: string): void
}

export interface MessageTracing {
  /** A receive brought messages; it began at `polledAt` (milliseconds since the epoch). */
  received(messages: readonly Message[], polledAt: number): void
  /** Handling a message begins. */
  begin(message: Message): MessageTrace
}

export const untraced: MessageTrace = { parsed: () => {}, storing: () => {}, end: () => {} }
export const noTracing: MessageTracing = { received: () => {}, begin: () => untraced }
