import type { InboxEvent, Message } from './event.ts'
import type { Failure } from './failed-messages.ts'
import type { GroupCommit, Outcome } from './group-commit.ts'
import type { ParsedMessage, Parser } from './parse-messages.ts'
import type { Guard, Report } from './reports.ts'
import { type MessageTrace, type MessageTracing, untraced } from './trace.ts'

/** What every message goes through, in a queue's consumer and in a Lambda function. */
export interface Processing<Event extends InboxEvent> {
  parser: Parser<Event>
  commits: GroupCommit<Event>
  handles: (event: Event) => boolean
  report: Report<Event>
  guard: Guard
  tracing: MessageTracing
  /** Where it is noted why a message failed, best effort. */
  note: (failure: Failure) => Promise<void>
  /** A message that failed before was handled at last. */
  forget: (messageId: string) => Promise<void>
}

/** `done`: never needed again. `left`: to the dead-letter queue, after some more receives. */
export type Fate = 'done' | 'left' | 'given back'

/**
 * Parses one message and has its event stored. Resolves with the fate of the message, after the commit. Never
 * rejects because of the message, the database or an observer. While the event is held, `onHeld` is called.
 */
export async function processMessage<Event extends InboxEvent>(
  processing: Processing<Event>,
  message: Message,
  signal: AbortSignal,
  onHeld?: () => void,
): Promise<Fate> {
  const { parser, commits, handles, report, guard, tracing } = processing
  const trace = guard(() => tracing.begin(message)) ?? untraced
  const parsed = await parser.parse(message, signal, onHeld)
  if (parsed.kind !== 'event') return endUnparsed(processing, message, parsed, trace)
  const { event, content } = parsed
  guard(() => trace.parsed(event))
  if (!handles(event)) {
    guard(() => report({ kind: 'unhandled', event, message }))
    guard(() => trace.end())
    return 'done'
  }
  guard(() => trace.storing())
  const outcome = await commits.put({ message, event, content }, signal, onHeld)
  guard(() => reportOutcome(report, event, message, outcome))
  guard(() => trace.end(failureOf(outcome)))
  if (outcome.kind === 'interrupted') return 'given back'
  if (outcome.kind !== 'refused') return forgotten(processing, message)
  const reason = `the event can't be stored: ${outcome.error.message}`
  await note(processing, { message_id: message.MessageId ?? '', event_id: event.id, reason })
  return 'left'
}

async function endUnparsed<Event extends InboxEvent>(
  processing: Processing<Event>,
  message: Message,
  parsed: Exclude<ParsedMessage<Event>, { kind: 'event' }>,
  trace: MessageTrace,
): Promise<Fate> {
  const { report, guard } = processing
  if (parsed.kind === 'interrupted') {
    guard(() => trace.end('interrupted by a shutdown'))
    return 'given back'
  }
  const { reason } = parsed
  guard(() => report({ kind: 'invalid', message, reason }))
  guard(() => trace.end(reason))
  await note(processing, { message_id: message.MessageId ?? '', event_id: null, reason })
  return 'left'
}

/** A database that is unreachable loses a copy: the log has the reason too. */
async function note<Event extends InboxEvent>({ note }: Processing<Event>, failure: Failure): Promise<void> {
  await note(failure).catch(() => {})
}

/** Forgets the failure of a message that was handled now. */
async function forgotten<Event extends InboxEvent>(processing: Processing<Event>, message: Message): Promise<Fate> {
  const { ApproximateReceiveCount = '1' } = message.Attributes ?? {}
  if (ApproximateReceiveCount !== '1') await processing.forget(message.MessageId ?? '').catch(() => {})
  return 'done'
}

function reportOutcome<Event extends InboxEvent>(
  report: Report<Event>,
  event: Event,
  message: Message,
  outcome: Outcome,
): void {
  switch (outcome.kind) {
    case 'stored':
      return report({ kind: 'stored', event, message, delaySeconds: outcome.delaySeconds })
    case 'duplicate':
      return report({ kind: 'duplicate', event, message, differs: outcome.differs })
    case 'stale':
      return report({ kind: 'stale', event, message })
    case 'refused':
      return report({ kind: 'refused', event, message, error: outcome.error })
    case 'interrupted':
      return
  }
}

function failureOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'refused') return outcome.error.message
  return outcome.kind === 'interrupted' ? 'interrupted by a shutdown' : undefined
}
