import { duration } from '@product-events/terminal'
import type { Traveller } from '../answers.ts'
import type { EventRow } from './products.ts'

/** What is known about the way beyond the event's own row. */
export interface Way {
  now: number
  /** When its notification was stored; undefined when there is none. */
  storedAt: Date | undefined
  /** Why it waits, when the whole outbox waits. */
  outage: string | undefined
  /** It is not the oldest event of its product that waits. */
  behindOlder: boolean
  /** No relay owns its lane. */
  lane: 'owned' | 'free'
  /** Why its message failed at the consumer, when it did. */
  failing: string | undefined
}

/** Where an event is: the number of steps that it has behind it, and a few words. */
export function toTraveller(event: EventRow, way: Way): Traveller {
  const { step, state, where, until } = placeOf(event, way)
  return {
    id: event.id,
    event_id: event.event_id,
    type: event.type,
    product_id: event.key,
    product_name: event.name,
    sequence: event.sequence,
    written_at: event.created_at.toISOString(),
    step,
    state,
    where,
    age_ms: Math.max(0, until - event.created_at.getTime()),
  }
}

type Place = Pick<Traveller, 'step' | 'state' | 'where'> & { until: number }

function placeOf(event: EventRow, way: Way): Place {
  const waiting = (step: number, where: string): Place => ({ step, state: 'waiting', where, until: way.now })
  if (way.storedAt) return { step: 7, state: 'arrived', where: 'notified', until: way.storedAt.getTime() }
  switch (event.status) {
    case 'dead':
      return { ...waiting(2, `dead: ${firstWords(event.last_error)}`), state: 'dead' }
    case 'failed':
      return waiting(2, `refused, ${retryIn(event, way.now)}`)
    case 'pending':
      if (way.outage !== undefined) return waiting(2, way.outage)
      if (way.behindOlder) return waiting(2, 'behind an older one')
      return waiting(2, way.lane === 'free' ? 'its lane has no relay' : 'waits for its relay')
    default:
      return waiting(3, way.failing === undefined ? 'in the queue' : `fails: ${firstWords(way.failing)}`)
  }
}

function retryIn({ attempts, next_attempt_at: next }: EventRow, now: number): string {
  const seconds = next === null ? 0 : (next.getTime() - now) / 1000
  return `attempt ${attempts + 1} ${seconds > 0 ? `in ${duration(seconds)}` : 'is due'}`
}

/** The name of an error, or the beginning of what it says. */
export function firstWords(reason: string | null, most = 40): string {
  const text = (reason ?? 'no reason noted').replaceAll(/\s+/g, ' ')
  const name = /^[\w.]+(?=:)/.exec(text)?.[0]
  return name ?? (text.length > most ? `${text.slice(0, most - 1)}…` : text)
}
