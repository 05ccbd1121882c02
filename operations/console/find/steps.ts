import { plural } from '@product-events/terminal'
import type { Step } from '../answers.ts'
import { describePlace, type EventWay } from '../../find/index.ts'

type MakeStep = (name: string, state: Step['state'], text: string, at?: Date | null) => Step

/** The way in steps, with the times that are stored, measured from the moment the event was written. */
export function stepsOf(way: EventWay, now: number): Step[] {
  const written = way.written_at ?? way.notification?.occurred_at ?? null
  const step: MakeStep = (name, state, text, at = null) => ({
    name,
    state,
    text,
    at: at?.toISOString() ?? null,
    after_ms: at && written ? at.getTime() - written.getTime() : null,
  })
  const { row, place } = way
  const first = row
    ? `One transaction: the product, version ${way.sequence ?? '?'}, and the event, outbox id ${row.id}.`
    : 'Its outbox row is pruned: processed events are kept for the retention time.'
  const here = place.at === 'notified' || place.at === 'channels' ? [] : [hereStep(way, now, step)]
  return [
    step('Written', 'done', first, written),
    ...(place.at === 'outbox' || (place.at === 'unknown' && !way.accepted_at) ? [] : [acceptedStep(way, step)]),
    ...here,
    ...storedSteps(way, step),
  ]
}

function acceptedStep({ row, accepted_at }: EventWay, step: MakeStep): Step {
  if (!row) return step('Accepted by SQS', 'done', 'Its time is pruned with the outbox row.')
  const tries = row.attempts === 0 ? 'first attempt' : `after ${plural(row.attempts, 'refusal')}`
  const redriven = row.redriven_count > 0 ? ` Redriven by ${row.redriven_by}.` : ''
  return step('Accepted by SQS', 'done', `Lane ${row.lane}, ${tries}.${redriven}`, accepted_at)
}

function hereStep(way: EventWay, now: number, step: MakeStep): Step {
  const { where, why, next } = describePlace(way, now)
  const { place } = way
  const waits =
    (place.at === 'outbox' && place.state === 'pending') || (place.at === 'queue' && place.state === 'waiting')
  return step(where.replace(/\.$/, ''), waits ? 'now' : 'wrong', `${why} ${next}`)
}

function storedSteps({ notification, stored_at, deliveries }: EventWay, step: MakeStep): Step[] {
  if (!notification) return [step('Stored and notified', 'then', '')]
  return [
    step('Stored and notified', 'done', `Notification ${notification.id}: ${notification.message}`, stored_at),
    ...deliveries.map(({ destination, status, attempts, delivered_at, last_error }) => {
      const tries = attempts === 0 ? 'first attempt' : `after ${plural(attempts, 'failed attempt')}`
      if (status === 'processed') return step(`Delivered: ${destination}`, 'done', `Accepted, ${tries}.`, delivered_at)
      if (status === 'pending') return step(`Delivery: ${destination}`, 'now', 'It waits for its turn.')
      const name = status === 'dead' ? `Abandoned: ${destination}` : `Failed: ${destination}, to be retried`
      return step(name, 'wrong', last_error ?? 'no reason noted')
    }),
  ]
}
