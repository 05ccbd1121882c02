import { duration, plural } from '@product-events/terminal'
import type { Delivery, EventWay, Found, LaneOwner, Place, QueueAnswer } from './found.ts'

/** What an on-call engineer asks about an event, a sentence each. */
export interface PlaceWords {
  where: string
  why: string
  next: string
  /** What an operator can do; null if there is nothing to do. */
  action: string | null
}

const REDRIVE_DELIVERY = 'npm run outbox -- redrive --service notification-service'

/** Says where an event is, why, what happens next and what an operator can do. `now` is in milliseconds since 1970. */
export function describePlace({ place, row, event_id }: EventWay, now: number): PlaceWords {
  switch (place.at) {
    case 'outbox':
      return inOutbox(place, row?.id ?? event_id, now)
    case 'queue':
      return inQueue(place, now)
    case 'dead-letter-queue':
      return {
        where: `In the dead-letter queue, as message ${place.message_id}.`,
        why:
          place.reason === null
            ? 'The consumer noted no reason: it ended while it had the message, or its database was unreachable.'
            : `The consumer could not handle it: ${place.reason}`,
        next: 'It stays there for 14 days. Nothing retries it.',
        action: `Mend the reason, then: npm run inbox -- redrive ${place.message_id}`,
      }
    case 'lost':
      return {
        where: 'Published, not stored, and no longer in the queue.',
        why: 'The queue was purged or deleted, or the notifications were restored to an earlier state.',
        next: 'Nothing brings it back.',
        action: `npm run outbox -- resend ${row?.id ?? event_id}`,
      }
    case 'channels':
      return inChannels(place, now)
    case 'notified':
      return { where: 'Notified.', why: 'Every step is done.', next: 'Nothing is left to do.', action: null }
  }
  return {
    where: 'Unknown.',
    why: `No answer from: ${place.missing.join(', ')}.`,
    next: 'The search knows more once they answer.',
    action: 'npm run status',
  }
}

function inOutbox(place: Extract<Place, { at: 'outbox' }>, id: string, now: number): PlaceWords {
  switch (place.state) {
    case 'pending':
      return {
        where: 'In the outbox, not published yet.',
        ...ofOwner(place.owner, place.ahead, place.sqs),
      }
    case 'blocked':
      return {
        where: 'In the outbox, behind an older event of its product.',
        why: `Event ${place.by.id} was refused: ${place.by.last_error ?? 'no reason'}`,
        next: `The relay retries event ${place.by.id} ${inTime(place.by.next_attempt_at, now)}; this one follows it.`,
        action: `npm run outbox -- show ${place.by.id}`,
      }
    case 'failed':
      return {
        where: 'In the outbox, refused by SQS.',
        why: `${plural(place.attempts, 'refusal')}: ${place.last_error ?? 'no reason'}`,
        next: `The relay retries ${inTime(place.next_attempt_at, now)}; after ten refusals the event is dead.`,
        action: null,
      }
  }
  return {
    where: 'In the outbox, dead.',
    why: `${plural(place.attempts, 'refusal')}: ${place.last_error ?? 'no reason'}`,
    next: 'It is not retried until an operator redrives it.',
    action: `Mend the reason, then: npm run outbox -- redrive ${id}`,
  }
}

function ofOwner(owner: LaneOwner, ahead: number, sqs: QueueAnswer): Omit<PlaceWords, 'where'> {
  const before = ahead === 0 ? '' : ` ${plural(ahead, 'older event')} of its lane ${ahead === 1 ? 'goes' : 'go'} first.`
  if (owner.kind !== 'owned')
    return {
      why:
        owner.kind === 'free'
          ? `No relay owns its lane.${before}`
          : `The lease of relay ${owner.relay}, which owns its lane, ran out ${duration(owner.since_seconds)} ago.${before}`,
      next: 'Another relay takes over the lane within 15 s, if one is alive.',
      action: 'npm run outbox -- status',
    }
  if (sqs.kind === 'no-answer')
    return {
      why: `SQS does not answer: ${sqs.reason}.${before}`,
      next: `Relay ${owner.relay} retries for as long as it takes, at most 30 s apart.`,
      action: 'npm run status',
    }
  return {
    why: before === '' ? 'It was written a moment ago, or SQS refuses calls.' : before.trim(),
    next: `Relay ${owner.relay} publishes it at its next poll, 2 s from the last one at most.`,
    action: null,
  }
}

function inQueue(place: Extract<Place, { at: 'queue' }>, now: number): PlaceWords {
  if (place.state === 'waiting')
    return {
      where: 'In the queue, not stored yet.',
      why:
        place.sqs.kind === 'depth'
          ? `The queue has ${place.sqs.queue.visible} visible and ${place.sqs.queue.in_flight} received messages.`
          : 'How many messages the queue has is unknown.',
      next: 'notification-service receives it when its turn comes.',
      action: 'If this lasts: npm run status',
    }
  const { failures, reason, last_failed_at } = place.failure
  return {
    where: `In the queue; the consumer failed ${plural(failures, 'time')}, the last ${agoOf(last_failed_at, now)}.`,
    why: reason,
    next: `SQS shows it again 30 s after each receive, and moves it to the dead-letter queue after ${place.max_receives}.`,
    action: 'Mend the reason before that; later: npm run inbox -- list',
  }
}

function inChannels(place: Extract<Place, { at: 'channels' }>, now: number): PlaceWords {
  const [first] = place.deliveries.filter(({ status }) => isWorst(status, place.state))
  const each = place.deliveries.map(({ destination, status }) => `${destination} (${deliveryWord(status)})`).join(', ')
  const why = first?.last_error ?? 'It was stored a moment ago.'
  if (place.state === 'abandoned')
    return {
      where: `Stored; abandoned delivery: ${each}.`,
      why,
      next: 'It is not retried until an operator redrives it.',
      action: `Mend the endpoint, then: ${REDRIVE_DELIVERY} ${first?.id ?? ''}`.trim(),
    }
  return {
    where: `Stored; not delivered yet: ${each}.`,
    why,
    next: `The delivery is tried ${inTime(first?.next_attempt_at ?? null, now)}.`,
    action: null,
  }
}

function isWorst(status: Delivery['status'], state: 'delivering' | 'retrying' | 'abandoned'): boolean {
  return status === { delivering: 'pending', retrying: 'failed', abandoned: 'dead' }[state]
}

function deliveryWord(status: Delivery['status']): string {
  return { pending: 'pending', failed: 'failed, retried', dead: 'abandoned', processed: 'delivered' }[status]
}

function inTime(at: Date | null, now: number): string {
  const seconds = at === null ? 0 : (at.getTime() - now) / 1000
  return seconds <= 0 ? 'now' : `in ${duration(seconds)}`
}

function agoOf(at: Date, now: number): string {
  return `${duration(Math.max(0, (now - at.getTime()) / 1000))} ago`
}

/** One line for the end of any answer: what the search cost, and what it could not ask. */
export function describeFound(found: Exclude<Found, { kind: 'no-id' }>): string {
  const { milliseconds, probes, rows, since, missing } = found.looked
  const back = since === null ? '' : `, back to ${since.toISOString()}`
  const silent = missing.map(({ source, reason }) => `No answer from ${source}: ${reason}.`)
  return [`Looked ${milliseconds} ms, ${plural(probes, 'probe')}, ${plural(rows, 'row')}${back}.`, ...silent].join(' ')
}
