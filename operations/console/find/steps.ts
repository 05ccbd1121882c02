import type { Step, Verdict } from '../answers.ts'
import { duration, plural } from '../watch/words.ts'
import { firstWords } from '../watch/travelling.ts'
import type { FoundEvent, NotificationRow } from './find-event.ts'

/** All that is known of one event's way. */
export interface WayOf {
  now: number
  event: FoundEvent | undefined
  notification: NotificationRow | undefined
  deliveries: FoundEvent[]
  failure: { reason: string; failures: number; last_failed_at: Date } | undefined
  /** Why nothing leaves the outbox now. */
  outage: string | undefined
  /** Older events of the same product that wait. */
  olderWaiting: number
  relay: string | undefined
}

/** The way in steps, with the times that are stored, measured from the moment the event was written. */
export function stepsOf(way: WayOf): Step[] {
  const written = way.event?.created_at ?? way.notification?.occurred_at
  const after = (at: Date | null | undefined) => (at && written ? at.getTime() - written.getTime() : null)
  const step = (name: string, state: Step['state'], text: string, at?: Date | null): Step => ({
    name,
    state,
    text,
    at: at?.toISOString() ?? null,
    after_ms: after(at),
  })
  return [
    step('Written', 'done', writtenText(way), written),
    relayStep(way, step),
    ...consumerSteps(way, step),
    ...way.deliveries.map((delivery) => deliveryStep(delivery, way.now, step)),
  ]
}

type MakeStep = (name: string, state: Step['state'], text: string, at?: Date | null) => Step

function writtenText({ event }: WayOf): string {
  if (!event) return 'Its outbox row is pruned: processed events are kept for the retention time.'
  return `One transaction: the product, version ${event.sequence ?? '?'}, and the event, outbox id ${event.id}.`
}

function relayStep({ event, outage, olderWaiting, relay, now }: WayOf, step: MakeStep): Step {
  if (!event) return step('Accepted by SQS', 'done', 'The time is pruned with the outbox row.')
  const { status, lane, attempts, last_error: error } = event
  const sender = `Lane ${lane}${relay === undefined ? ', no relay' : `, relay ${relay}`}`
  switch (status) {
    case 'processed':
      return step(
        'Accepted by SQS',
        'done',
        `${sender}, ${attempts === 0 ? 'first attempt' : `after ${plural(attempts, 'refused attempt')}`}.`,
        event.processed_at,
      )
    case 'dead':
      return step(
        'Dead',
        'wrong',
        `Given up after ${plural(attempts, 'attempt')}: ${error ?? 'no reason noted'}. It waits for an operator and blocks nothing.`,
      )
    case 'failed':
      return step(
        'Refused by SQS',
        'wrong',
        `${plural(attempts, 'attempt')} refused: ${error ?? ''}. The next is due ${inTime(event.next_attempt_at, now)}.`,
      )
    default: {
      const behind = olderWaiting > 0 ? ` Behind ${plural(olderWaiting, 'older event')} of its product.` : ''
      return step('In the outbox, pending', 'now', `${sender}.${outage === undefined ? '' : ` ${outage}.`}${behind}`)
    }
  }
}

function inTime(at: Date | null, now: number): string {
  const seconds = at === null ? 0 : (at.getTime() - now) / 1000
  return seconds > 0 ? `in ${duration(seconds)}` : 'now'
}

function consumerSteps({ event, notification, failure }: WayOf, step: MakeStep): Step[] {
  if (notification)
    return [
      step(
        'Stored and notified',
        'done',
        `Notification ${notification.id}: ${notification.message}`,
        notification.received_at,
      ),
    ]
  const accepted = event?.status === 'processed'
  if (failure && accepted)
    return [
      step(
        'Fails at the consumer',
        'wrong',
        `${plural(failure.failures, 'time')}, last at ${failure.last_failed_at.toISOString()}: ${failure.reason}`,
      ),
    ]
  if (accepted) return [step('In the queue', 'now', 'SQS holds the message until notification-service stores it.')]
  return [step('Queue, receive, store, notify', 'then', '')]
}

function deliveryStep(delivery: FoundEvent, now: number, step: MakeStep): Step {
  const { channel = 'channel', endpoint = '' } = delivery.headers
  const to = `${channel} ${endpoint}`
  const tries = delivery.attempts === 0 ? 'first attempt' : `after ${plural(delivery.attempts, 'failed attempt')}`
  switch (delivery.status) {
    case 'processed':
      return step(`Delivered: ${to}`, 'done', `Accepted, ${tries}.`, delivery.processed_at)
    case 'dead':
      return step(`Abandoned: ${to}`, 'wrong', delivery.last_error ?? 'no reason noted')
    case 'failed':
      return step(
        `Failed: ${to}`,
        'wrong',
        `${delivery.last_error ?? ''}. The next attempt is due ${inTime(delivery.next_attempt_at, now)}.`,
      )
    default:
      return step(`Delivery: ${to}`, 'now', 'It waits for its turn.')
  }
}

/** Where the event is now, why, and what happens next, in one sentence and what stands behind it. */
export function verdictOn(way: WayOf, about: string): Verdict {
  const { event, notification, deliveries, failure, outage } = way
  const verdict = (level: Verdict['level'], headline: string, actions: string[] = []): Verdict => ({
    level,
    headline,
    detail: about,
    actions,
  })
  if (notification) {
    const written = event?.created_at ?? notification.occurred_at
    const delivered = deliveries.filter(({ status }) => status === 'processed')
    const last = Math.max(
      notification.received_at.getTime(),
      ...delivered.map(({ processed_at: at }) => at?.getTime() ?? 0),
    )
    const took = duration((last - written.getTime()) / 1000)
    if (deliveries.length === 0) return verdict('good', `Notified ${took} after it was written.`)
    const all = `${delivered.length} of ${plural(deliveries.length, 'endpoint')}`
    if (delivered.length === deliveries.length)
      return verdict('good', `Delivered to ${all}, ${took} after it was written.`)
    const dead = deliveries.some(({ status }) => status === 'dead')
    return verdict(
      dead ? 'wrong' : 'busy',
      `Notified, and delivered to ${all}.`,
      dead ? ['Open Needs you to redrive the abandoned delivery.'] : [],
    )
  }
  switch (event?.status) {
    case 'dead':
      return verdict('wrong', `Dead: ${firstWords(event.last_error)}.`, [
        'Open Needs you: remove the reason, then redrive it.',
      ])
    case 'failed':
      return verdict(
        'wrong',
        `SQS refused it: ${firstWords(event.last_error)}. The relay retries ${inTime(event.next_attempt_at, way.now)}.`,
      )
    case 'processed':
      return failure
        ? verdict('wrong', `It fails at the consumer: ${firstWords(failure.reason)}.`, [
            'Open Needs you: it shows why the message fails.',
          ])
        : verdict('busy', 'SQS has it, and notification-service has not stored it yet.')
    default:
      return verdict('busy', outage === undefined ? 'It waits in the outbox.' : `It waits in the outbox: ${outage}.`)
  }
}
