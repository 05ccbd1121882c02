import { setTimeout as sleep } from 'node:timers/promises'
import { parseBody } from 'contracts'
import { backoff } from './backoff.ts'
import type { Consumer } from './consumer.ts'
import { type Failure, noteFailures } from './failed-messages.ts'
import { keepHidden } from './keep-hidden.ts'
import { deleteMessages, hideMessages, type Message } from './messages.ts'
import { type NewNotification, notificationOf, notificationOfUnknown } from './notifications/notification.ts'
import { storeWithDeliveries } from './channels/store-with-deliveries.ts'
import { isDataError } from './notifications/store.ts'

/** A message and the notification that is to come of it. */
export interface Item {
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
  const held = items.map((item) => item.message)
  const letGo = keepHidden(consumer, held)
  const result = await storeUntilDone(consumer, items)
  await letGo()
  if (result.kind === 'stored') await deleteHandled(consumer, result.handled)
  else await giveBack(consumer, held)
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

type Stored = { kind: 'stored'; handled: Item[] } | { kind: 'interrupted' }

/** Tries for as long as it takes, unless the process is told to stop. */
async function storeUntilDone(consumer: Consumer, items: Item[]): Promise<Stored> {
  const { reachable, stopping } = consumer
  for (let failures = 1; ; failures++) {
    try {
      const handled = await storeItems(consumer, items)
      reachable.database.worked()
      return { kind: 'stored', handled }
    } catch (error) {
      reachable.database.failed((error as Error).message)
    }
    await sleep(backoff(failures), undefined, { signal: stopping }).catch(() => {})
    if (stopping.aborted) return { kind: 'interrupted' }
  }
}

/**
 * Stores together what can be stored together, and one by one if the database refuses the data of any. Resolves with the
 * items that are stored now or were before. Rejects when the database is away; what it stored until then will be
 * duplicates in the next try.
 */
async function storeItems(consumer: Consumer, items: Item[]): Promise<Item[]> {
  try {
    await storeTogether(consumer, items)
    return items
  } catch (error) {
    if (!isDataError(error)) throw error
    const [only, ...others] = items
    if (only && others.length === 0) {
      consumer.metrics.failure('refused')
      consumer.log.refused(only.message, only.notification, error as Error)
      const reason = `the database refuses it: ${(error as Error).message}`
      await note(consumer, [{ message_id: only.message.MessageId ?? '', event_id: only.notification.event_id, reason }])
      return []
    }
  }
  const handled: Item[] = []
  for (const item of items) handled.push(...(await storeItems(consumer, [item])))
  return handled
}

async function storeTogether({ pool, outgoing, log, metrics }: Consumer, items: Item[]): Promise<void> {
  const stored = await storeWithDeliveries(
    pool,
    items.map((item) => item.notification),
    outgoing,
  )
  const delays = new Map(stored.map(({ event_id, delay_seconds }) => [event_id, delay_seconds]))
  for (const { notification, known } of items) {
    const delay = delays.get(notification.event_id)
    if (delay === undefined) {
      metrics.duplicate()
      log.duplicate(notification)
    } else {
      // A second message of the same event in this batch is a duplicate of the first.
      delays.delete(notification.event_id)
      metrics.notified(known ? notification.event_type : 'unknown', delay)
      log.notification(notification)
    }
  }
}

async function deleteHandled({ sqs, queue, log, reachable }: Consumer, handled: Item[]): Promise<void> {
  const messages = handled.map((item) => item.message)
  try {
    const failed = await deleteMessages(sqs, queue, messages)
    if (failed.length > 0) log.notDeleted(failed)
  } catch (error) {
    // Stored but not deleted: they come again, and will be duplicates.
    reachable.sqs.failed((error as Error).message)
  }
}

async function giveBack({ sqs, queue, reachable }: Consumer, messages: Message[]): Promise<void> {
  try {
    await hideMessages(sqs, queue, messages, 0)
  } catch (error) {
    // They become visible by themselves, a little later.
    reachable.sqs.failed((error as Error).message)
  }
}
