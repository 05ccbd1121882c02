import { parseBody } from '@product-events/contracts'
import { compareSequences } from '../channels/delivery.ts'
import type { FailedMessage } from '../failed-messages.ts'
import type { Message } from '../messages.ts'

/** A message of the dead-letter queue, as far as it can be understood. */
export interface DeadLetter {
  message: Message
  message_id: string
  event_id: string | null
  event_type: string | null
  product_id: string | null
  sequence: string | null
  sent_at: Date | null
  receive_count: number
  /** Why it is here. */
  reason: string
  /** How often handling it failed, and when last; null when the service has noted nothing. */
  failures: number | null
  last_failed_at: Date | null
}

const NO_REASON = 'nothing was noted: the service ended while it had it, or its database was away'

export function deadLetterOf(message: Message, noted: FailedMessage | undefined): DeadLetter {
  const parsed = parseBody(message.Body ?? '')
  const envelope =
    parsed.kind === 'event' ? parsed.event : parsed.kind === 'unknown' ? parsed.envelope : looseEnvelope(message.Body)
  const { SentTimestamp, ApproximateReceiveCount } = message.Attributes ?? {}
  return {
    message,
    message_id: message.MessageId ?? '',
    event_id: textOr(null, envelope.id),
    event_type: textOr(message.MessageAttributes?.type?.StringValue ?? null, envelope.type),
    product_id: textOr(null, envelope.subject),
    sequence: textOr(null, envelope.sequence),
    sent_at: SentTimestamp === undefined ? null : new Date(Number(SentTimestamp)),
    receive_count: Number(ApproximateReceiveCount ?? 0),
    reason: noted?.reason ?? (parsed.kind === 'invalid' ? `no event: ${parsed.reason}` : NO_REASON),
    failures: noted?.failures ?? null,
    last_failed_at: noted?.last_failed_at ?? null,
  }
}

/** By sequence for each product, products in the order of their first message; what has none keeps its place at the end. */
export function inSequence(letters: readonly DeadLetter[]): DeadLetter[] {
  const byProduct = Map.groupBy(letters, ({ product_id, sequence, message_id }) =>
    product_id === null || !/^[0-9]+$/.test(sequence ?? '') ? ` ${message_id}` : product_id,
  )
  const [known, unknown] = [...byProduct].reduce<[DeadLetter[][], DeadLetter[][]]>(
    ([known, unknown], [key, group]) => {
      const sorted = group.toSorted((one, other) => compareSequences(one.sequence ?? '', other.sequence ?? ''))
      return key.startsWith(' ') ? [known, [...unknown, sorted]] : [[...known, sorted], unknown]
    },
    [[], []],
  )
  return [...known, ...unknown].flat()
}

/** Whether `id` is that of the message or of its event. */
export function isNamed(letter: DeadLetter, id: string): boolean {
  return letter.message_id === id || letter.event_id?.toLowerCase() === id.toLowerCase()
}

/** What is no event may still carry an id or a product for whoever looks for it. */
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
