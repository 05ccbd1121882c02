import type { InboxEvent, Message, Parsed } from './event.ts'

/**
 * Parses a CloudEvent 1.0 in structured JSON: `id`, `type`, `subject` as key, `sequence`, and `data` as payload. Checks
 * no more of the payload than that it is there: check it in your own `parse` if a sender may be wrong.
 */
export function parseCloudEvent<Event extends InboxEvent>({ Body }: Message): Parsed<Event> {
  let value: unknown
  try {
    value = JSON.parse(Body ?? '')
  } catch (error) {
    return { kind: 'invalid', reason: `not JSON: ${(error as Error).message}` }
  }
  if (typeof value !== 'object' || value === null) return { kind: 'invalid', reason: 'not a JSON object' }
  const { specversion, id, type, subject, sequence, data } = value as Record<string, unknown>
  if (typeof specversion !== 'string' || !specversion.startsWith('1.'))
    return { kind: 'invalid', reason: 'specversion must be "1.0": not a CloudEvent' }
  if (typeof id !== 'string') return { kind: 'invalid', reason: 'id must be a string' }
  if (typeof type !== 'string') return { kind: 'invalid', reason: 'type must be a string' }
  if (data === undefined) return { kind: 'invalid', reason: 'data is missing' }
  const event = {
    id,
    type,
    payload: data,
    ...(typeof subject === 'string' && { key: subject }),
    ...(typeof sequence === 'string' && { sequence }),
  }
  return { kind: 'event', event: event as unknown as Event }
}
