import { compareSequences, type Message } from '../event.ts'
import type { FailedMessage } from '../failed-messages.ts'

/** A message of the dead-letter queue, as far as it can be understood. */
export interface DeadLetter {
  message_id: string
  event_id: string | null
  event_type: string | null
  /** The subject of the CloudEvent. */
  key: string | null
  sequence: string | null
  /** RFC 3339 in UTC. */
  sent_at: string | null
  /** Why it is here. */
  reason: string
  /** How often handling it failed, and when last; null when the consumer has noted nothing. */
  failures: number | null
  last_failed_at: string | null
  body: string
  /** Binary values are not shown. */
  attributes: Record<string, string>
}

const NO_REASON = 'no reason was noted: the consumer ended while it had the message, or its database was unreachable'

export function deadLetterOf(message: Message, noted: FailedMessage | undefined): DeadLetter {
  const { id, type, subject, sequence } = looseEnvelope(message.Body)
  const { SentTimestamp } = message.Attributes ?? {}
  return {
    message_id: message.MessageId ?? '',
    event_id: textOr(noted?.event_id ?? null, id),
    event_type: textOr(message.MessageAttributes?.type?.StringValue ?? null, type),
    key: textOr(null, subject),
    sequence: textOr(null, sequence),
    sent_at: SentTimestamp === undefined ? null : new Date(Number(SentTimestamp)).toISOString(),
    reason: noted?.reason ?? NO_REASON,
    failures: noted?.failures ?? null,
    last_failed_at: noted?.last_failed_at ?? null,
    body: message.Body ?? '',
    attributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, value.StringValue ?? '(binary)']),
    ),
  }
}

/** By sequence for each key, keys by their first message. Messages without a sequence come last, in their order. */
export function bySequence<Item>(items: readonly Item[], letterOf: (item: Item) => DeadLetter): Item[] {
  const ofKey = new Map<string, Item[]>()
  const without: Item[] = []
  for (const item of items) {
    const { key, sequence } = letterOf(item)
    if (key === null || !/^[0-9]+$/.test(sequence ?? '')) without.push(item)
    else ofKey.set(key, [...(ofKey.get(key) ?? []), item])
  }
  const sorted = [...ofKey.values()].map((group) =>
    group.toSorted((one, other) => compareSequences(letterOf(one).sequence ?? '', letterOf(other).sequence ?? '')),
  )
  return [...sorted.flat(), ...without]
}

/** Whether `id` is that of the message or of its event. */
export function isNamed(letter: DeadLetter, id: string): boolean {
  return letter.message_id === id || letter.event_id?.toLowerCase() === id.toLowerCase()
}

/** A message that is not an event may still carry an id or a subject. */
function looseEnvelope(body: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function textOr<Other>(other: Other, value: unknown): string | Other {
  return typeof value === 'string' ? value : other
}
