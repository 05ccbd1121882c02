import { parseBody } from '@product-events/contracts'
import type { Consumer } from './consumer.ts'
import { type Failure, noteFailures } from './failed-messages.ts'
import type { Outcome } from './inbox.ts'
import { keepHidden } from './keep-hidden.ts'
import { deleteMessages, hideMessages, type Message } from './messages.ts'
import { type NewNotification, notificationOf, notificationOfUnknown } from './notifications/notification.ts'
import type { SpanContext } from '@product-events/telemetry'
import type { MessageTrace } from './trace-messages.ts'

/** A message and the notification that is to come of it. */
interface Item {
  message: Message
  notification: NewNotification
  /** Its event is of a type and shape that this version knows. */
  known: boolean
  trace: MessageTrace
}

/**
 * Handles one batch: parse → store what is new → delete.
 *
 * A message is deleted only after its notification is durable, or was before. One that is no event, or that the database
 * refuses, is left alone: it becomes visible again and ends in the dead-letter queue, and its neighbours don't notice,
 * not even those of its own group on a FIFO queue: notifications carry `sequence` and are stored in any order.
 *
 * While the database is away the messages are held and kept hidden, not given back: every receive counts towards the
 * dead-letter queue, and an outage must not send good messages there.
 */
export async function handleEvents(
  consumer: Consumer,
  messages: readonly Message[],
  receivedIn?: SpanContext,
): Promise<void> {
  const failures: Failure[] = []
  const items = messages.flatMap((message) =>
    parseMessage(consumer, message, consumer.tracing.begin(message, receivedIn), failures),
  )
  await note(consumer, failures)
  if (items.length === 0) return
  const letGo = keepHidden(
    consumer,
    items.map((item) => item.message),
  )
  const outcomes = await Promise.all(
    items.map(({ notification, trace }) => trace.store(() => consumer.inbox.put(notification, trace.context))),
  )
  await letGo()

  const handled: Message[] = []
  const unhandled: Message[] = []
  const refused: Failure[] = []
  for (const [index, item] of items.entries()) {
    const outcome = outcomes[index] ?? { kind: 'interrupted' }
    tell(consumer, item, outcome)
    if (outcome.kind === 'stored' || outcome.kind === 'duplicate') handled.push(item.message)
    if (outcome.kind === 'interrupted') unhandled.push(item.message)
    if (outcome.kind === 'refused') refused.push(failureOf(item, outcome.error))
  }
  await deleteHandled(consumer, handled)
  await giveBack(consumer, unhandled)
  await note(consumer, refused)
}

function parseMessage({ log, metrics }: Consumer, message: Message, trace: MessageTrace, failures: Failure[]): Item[] {
  const parsed = parseBody(message.Body ?? '')
  if (parsed.kind === 'invalid') {
    metrics.failure('invalid')
    log.invalid(message, parsed.reason, trace.context)
    trace.end(parsed.reason)
    failures.push({ message_id: message.MessageId ?? '', event_id: null, reason: parsed.reason })
    return []
  }
  if (parsed.kind === 'event') {
    trace.parsed(parsed.event)
    return [{ message, notification: notificationOf(parsed.event), known: true, trace }]
  }
  trace.parsed(parsed.envelope)
  log.unknownType(parsed.envelope.type, parsed.reason, trace.context)
  return [{ message, notification: notificationOfUnknown(parsed.envelope, parsed.reason), known: false, trace }]
}

/** For whoever finds the message in the dead-letter queue. A database that is away loses a copy: the log has it too. */
async function note({ pool }: Consumer, failures: Failure[]): Promise<void> {
  await noteFailures(pool, failures).catch(() => {})
}

function failureOf({ message, notification }: Item, error: Error): Failure {
  const reason = `the database refuses it: ${error.message}`
  return { message_id: message.MessageId ?? '', event_id: notification.event_id, reason }
}

function tell({ log, metrics }: Consumer, { message, notification, known, trace }: Item, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'stored':
      metrics.notified(known ? notification.event_type : 'unknown', outcome.delaySeconds)
      log.notification(notification, trace.context)
      return trace.end()
    case 'duplicate':
      metrics.duplicate()
      log.duplicate(notification, trace.context)
      return trace.end()
    case 'refused':
      metrics.failure('refused')
      log.refused(message, notification, outcome.error, trace.context)
      return trace.end(outcome.error.message)
    case 'interrupted':
      return trace.end('interrupted by a shutdown')
  }
}

async function deleteHandled({ sqs, queue, log, reachable }: Consumer, messages: Message[]): Promise<void> {
  try {
    const failed = await deleteMessages(sqs, queue, messages)
    if (failed.length > 0) log.notDeleted(failed)
  } catch (error) {
    // Stored but not deleted: they come again, and will be duplicates.
    reachable.failed((error as Error).message)
  }
}

/** Not 0: the embedded SQS, when it keeps its data on disk, fails at that, and shows the message only after a restart. */
const GIVE_BACK_SECONDS = 1

async function giveBack({ sqs, queue, reachable }: Consumer, messages: Message[]): Promise<void> {
  try {
    await hideMessages(sqs, queue, messages, GIVE_BACK_SECONDS)
  } catch (error) {
    // They become visible by themselves, a little later.
    reachable.failed((error as Error).message)
  }
}
