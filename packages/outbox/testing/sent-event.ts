import type { OutboxEvent } from '../send.ts'

/** An event as a relay hands it to a `Send`, with a key of its own: `more` says what the test cares about. */
export function sentEvent(id: string, more: Partial<OutboxEvent> = {}): OutboxEvent {
  return {
    id,
    eventId: `01a202ac-4eb7-784d-a155-${id.padStart(12, '0')}`,
    key: `key-${id}`,
    lane: 0,
    type: 'test.happened',
    payload: '{}',
    headers: {},
    attempts: 0,
    redriven: 0,
    createdAt: new Date(0),
    ...more,
  }
}
