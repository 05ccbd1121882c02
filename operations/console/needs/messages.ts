import type { Message } from '@aws-sdk/client-sqs'
import type pg from 'pg'
import type { FailingMessage } from '../watch/notifications.ts'
import type { Item } from './groups.ts'

const BODY_SHOWN = 80
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Why each of these messages failed, by message id, as notification-service noted it. */
export async function reasonsOf(db: Pick<pg.Pool, 'query'>, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await db.query<{ message_id: string; reason: string }>(
    'SELECT message_id, left(reason, 500) AS reason FROM public.failed_messages WHERE message_id = ANY ($1)',
    [ids],
  )
  return new Map(rows.map(({ message_id, reason }) => [message_id, reason]))
}

export function deadLetterItem(message: Message, reason: string | undefined): Item {
  const event = envelopeOf(message.Body ?? '')
  const { ApproximateReceiveCount, SentTimestamp } = message.Attributes ?? {}
  const eventId = event.id !== undefined && UUID.test(event.id) ? event.id : null
  return {
    id: message.MessageId ?? '',
    event_id: eventId,
    type: event.type ?? message.MessageAttributes?.type?.StringValue ?? 'unknown',
    about: event.subject ?? (message.Body ?? '').slice(0, BODY_SHOWN),
    product: event.subject ?? null,
    reason: reason ?? 'no reason noted: the consumer ended, or its database was unreachable, while it had the message',
    attempts: Number(ApproximateReceiveCount ?? 0),
    at: SentTimestamp === undefined ? null : new Date(Number(SentTimestamp)),
  }
}

export function failingItem({ message_id, event_id, reason, failures, last_failed_at }: FailingMessage): Item {
  return {
    id: message_id,
    event_id,
    type: 'message',
    about: event_id ?? `message ${message_id}`,
    product: event_id,
    reason,
    attempts: failures,
    at: last_failed_at,
  }
}

/** The parts of an event that a body has, however broken the rest is. */
function envelopeOf(body: string): { id?: string; type?: string; subject?: string } {
  try {
    const value = JSON.parse(body) as Record<string, unknown> | null
    const text = (name: string) => (typeof value?.[name] === 'string' ? { [name]: value[name] } : {})
    return { ...text('id'), ...text('type'), ...text('subject') }
  } catch {
    return {}
  }
}
