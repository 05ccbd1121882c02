import { randomUUID } from 'node:crypto'
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs'
import fc from 'fast-check'
import { count, type SurfaceOptions, type SurfaceResult, type Target, until } from '../surface.ts'
import { goodEvent, type HostileMessage, hostileMessages } from './messages.ts'

const BATCH = 10
const SENTINEL_EVERY = 20
/** A good message among hostile ones is notified within this: many times what it takes alone. */
const SENTINEL_MS = 15_000
/** Five receives, each after a visibility timeout of a second or two, and whatever the machine is busy with. */
const DRAIN_MS = 120_000

/**
 * Sends hostile messages among good ones. Each must end as a notification (whose event it names) or in the dead-letter
 * queue; the good ones must not notice, and neither must the next request.
 */
export async function fuzzQueue({ target, steps, seed, onProgress }: SurfaceOptions): Promise<SurfaceResult> {
  const result: SurfaceResult = { steps: 0, counts: {}, violations: [] }
  const sent = new Map<string, string>()
  for (let batch = 0; result.steps < steps && result.violations.length === 0; batch++) {
    const messages = fc.sample(hostileMessages, { numRuns: BATCH, seed: seed + batch })
    const step = () => sendAll(target, messages, sent, result.counts)
    await step()
    result.steps += messages.length
    const slow = await target.pulse.fault(step)
    if (slow) result.violations.push(`after a batch of messages (seed ${seed + batch}): ${slow}`)
    if (batch % SENTINEL_EVERY === SENTINEL_EVERY - 1) {
      if (!(await goodIsNotified(target)))
        result.violations.push(`a good message was not notified within ${SENTINEL_MS} ms (seed ${seed + batch})`)
      await onProgress(result.steps)
    }
  }
  if (!(await drained(target))) result.violations.push(`the queue was not empty after ${DRAIN_MS} ms`)
  const dead = await emptyDeadLetters(target)
  count(result.counts, 'dead-letter queue', dead.size)
  result.violations.push(...(await lostAmong(target, sent, dead)))
  return result
}

/** One by one where SQS itself refuses the batch for the sake of one message. */
async function sendAll(
  { sqs, queueUrl }: Target,
  messages: readonly HostileMessage[],
  sent: Map<string, string>,
  counts: Record<string, number>,
): Promise<void> {
  const Entries = messages.map(({ body, attributes }, index) => ({
    Id: String(index),
    MessageBody: body,
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
    ),
  }))
  const note = (id: string | undefined, body: string) => {
    if (id !== undefined) sent.set(id, body)
    count(counts, id === undefined ? 'refused by SQS' : 'sent')
  }
  try {
    const { Successful = [], Failed = [] } = await sqs.send(
      new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
    )
    for (const { Id, MessageId } of Successful) note(MessageId, messages[Number(Id)]?.body ?? '')
    Failed.forEach(() => note(undefined, ''))
  } catch {
    for (const { Id: _, ...entry } of Entries) {
      const answer = await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, ...entry })).catch(() => undefined)
      note(answer?.MessageId, entry.MessageBody)
    }
  }
}

async function goodIsNotified({ sqs, queueUrl, notificationsDb }: Target): Promise<boolean> {
  const event = goodEvent(randomUUID())
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(event) }))
  const look = async () => {
    const { rowCount } = await notificationsDb.query('SELECT FROM notifications WHERE event_id = $1', [event.id])
    return rowCount === 1 ? true : undefined
  }
  return (await until(look, SENTINEL_MS)) === true
}

async function drained({ sqs, queueUrl }: Target): Promise<boolean> {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
  const look = async () => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...names] }),
    )
    return names.every((name) => Attributes[name] === '0') ? true : undefined
  }
  return (await until(look, DRAIN_MS)) === true
}

/** The ids of the messages there, which are deleted: SQS keeps an id when it moves a message. */
async function emptyDeadLetters({ sqs, deadLetterUrl }: Target): Promise<Set<string>> {
  const ids = new Set<string>()
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: deadLetterUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    )
    if (Messages.length === 0) return ids
    for (const { MessageId } of Messages) if (MessageId) ids.add(MessageId)
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: deadLetterUrl, Entries }))
  }
}

/** Messages that are neither in the dead-letter queue nor the notification of the event that they name. */
async function lostAmong({ notificationsDb }: Target, sent: Map<string, string>, dead: Set<string>): Promise<string[]> {
  const handled = [...sent].filter(([id]) => !dead.has(id)).map(([, body]) => ({ body, id: eventIdOf(body) }))
  const { rows } = await notificationsDb.query<{ event_id: string }>(
    'SELECT event_id FROM notifications WHERE event_id = ANY ($1::uuid[])',
    [handled.flatMap(({ id }) => id ?? [])],
  )
  const notified = new Set(rows.map(({ event_id }) => event_id))
  return handled
    .filter(({ id }) => id === undefined || !notified.has(id))
    .map(({ body }) => `a message was deleted and notified nobody: ${body.slice(0, 300)}`)
}

/** As PostgreSQL writes it; undefined when the body names no event by a UUID. */
function eventIdOf(body: string): string | undefined {
  try {
    const { id } = JSON.parse(body) as { id?: unknown }
    return typeof id === 'string' && UUID.test(id) ? id.toLowerCase() : undefined
  } catch {
    return undefined
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
