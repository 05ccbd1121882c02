import { parseBody } from 'contracts'
import type { Consumer } from './consumer.ts'
import { type Failure, noteFailures } from './failed-messages.ts'
import type { Outcome } from './inbox.ts'
import { keepHidden } from './keep-hidden.ts'
import { deleteMessages, hideMessages, type Message } from './messages.ts'
import { type NewNotification, notificationOf, notificationOfUnknown } from './notifications/notification.ts'

/** A message and the notification that is to come of it. */
interface Item {
  message: Message
  notification: NewNotification
  /** Its event is of a type and shape that this version knows. */
  known: boolean
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
export async function handleEvents(consumer: Consumer, messages: readonly Message[]): Promise<void> {
  const failures: Failure[] = []
  const items = messages.flatMap((message) => parseMessage(consumer, message, failures))
  await note(consumer, failures)
  if (items.length === 0) return
  const letGo = keepHidden(
    consumer,
    items.map((item) => item.message),
  )
  const outcomes = await Promise.all(items.map((item) => consumer.inbox.put(item.notification)))
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

function parseMessage({ log, metrics }: Consumer, message: Message, failures: Failure[]): Item[] {
  const parsed = parseBody(message.Body ?? '')
  if (parsed.kind === 'invalid') {
    metrics.failure('invalid')
    log.invalid(message, parsed.reason)
    failures.push({ message_id: message.MessageId ?? '', event_id: null, reason: parsed.reason })
    return []
  }
  if (parsed.kind === 'event') return [{ message, notification: notificationOf(parsed.event), known: true }]
  log.unknownType(parsed.envelope.type, parsed.reason)
  return [{ message, notification: notificationOfUnknown(parsed.envelope, parsed.reason), known: false }]
}

/** For whoever finds the message in the dead-letter queue. A database that is away loses a copy: the log has it too. */
async function note({ pool }: Consumer, failures: Failure[]): Promise<void> {
  await noteFailures(pool, failures).catch(() => {})
}

function failureOf({ message, notification }: Item, error: Error): Failure {
  const reason = `the database refuses it: ${error.message}`
  return { message_id: message.MessageId ?? '', event_id: notification.event_id, reason }
}

function tell({ log, metrics }: Consumer, { message, notification, known }: Item, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'stored':
      metrics.notified(known ? notification.event_type : 'unknown', outcome.delaySeconds)
      return log.notification(notification)
    case 'duplicate':
      metrics.duplicate()
      return log.duplicate(notification)
    case 'refused':
      metrics.failure('refused')
      return log.refused(message, notification, outcome.error)
    case 'interrupted':
      return
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
