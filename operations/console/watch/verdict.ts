import { duration, plural } from '@product-events/terminal'
import type { Verdict } from '../answers.ts'
import { type Finding, lanesWithoutRelay, silentDatabases, silentProcesses, silentQueue } from './causes.ts'
import { windowOf } from '../../status/window.ts'
import { lastOf } from './source.ts'
import type { View } from './view.ts'
import { firstWords } from './travelling.ts'
import { clock } from './clock.ts'

/** Younger events are on their way: the relay polls every 2 s when nothing wakes it. */
const HELD_UP_SECONDS = 5
/** Messages that no receiver has taken yet; fewer are the traffic of a moment. */
const QUEUED_UP = 100

/** All that is wrong, the cause before its effects. Empty when nothing is. */
export function findingsOf(view: View): Finding[] {
  const causes = [...silentDatabases(view), ...silentQueue(view), ...silentProcesses(view), ...lanesWithoutRelay(view)]
  // What waits behind a cause is no finding of its own.
  const effects = causes.length > 0 ? [] : [...heldUp(view), ...queuedUp(view)]
  return [...causes, ...effects, ...failingMessages(view), ...retriedEvents(view), ...waitForAPerson(view)]
}

/** The first finding as the verdict of the whole, or that all is well. */
export function verdictOf(view: View, findings: readonly Finding[]): Verdict {
  const [first, ...others] = findings
  if (first) {
    const { level, headline, detail, actions } = first
    const also = others.filter(({ headline }) => !first.headline.includes(headline)).map(({ headline }) => headline)
    return {
      level,
      headline,
      detail: also.length === 0 ? detail : `${detail} Also: ${also.join(' ')}`,
      actions: [...actions, ...others.flatMap(({ actions }) => actions)],
    }
  }
  const asked = [view.products, view.notifications, view.queue].every(({ kind }) => kind === 'answered')
  if (!asked)
    return {
      level: 'unknown',
      headline: 'One moment.',
      detail: 'PostgreSQL, SQS and the services are being asked.',
      actions: [],
    }
  return { level: 'good', headline: 'Every event arrives.', detail: allIsWell(view), actions: [] }
}

function allIsWell(view: View): string {
  const notifications = windowOf(
    view.before.filter(({ service }) => service === 'notification-service'),
    view.after.filter(({ service }) => service === 'notification-service'),
  )
  const rate = notifications.rate('notifications_total')
  const p95 = notifications.p95('notification_delay_seconds')
  if (!rate || p95 === undefined)
    return 'No event waits, and none needs an operator. Nothing was written in the last seconds.'
  return `${rate.toFixed(1)} a second, 95 % of them notified within ${duration(p95)} of being written. None waits.`
}

function heldUp({ products }: View): Finding[] {
  if (products.kind !== 'answered') return []
  const { pending, failed, oldest_seconds: oldest } = products.value.backlog
  if (pending === 0 || oldest < HELD_UP_SECONDS) return []
  return [
    {
      level: 'wrong',
      headline: `${plural(pending + failed, 'event')} ${pending + failed === 1 ? 'waits' : 'wait'} in the outbox, the oldest for ${duration(oldest)}.`,
      detail: 'None is lost. Events of one product wait for the older ones of the same product.',
      actions: ['Open Relays: does each lane have a relay, and does its lease get renewed?'],
      stations: [3],
    },
  ]
}

function failingMessages({ notifications }: View): Finding[] {
  if (notifications.kind !== 'answered') return []
  const { failing } = notifications.value
  const [first] = failing
  if (first === undefined) return []
  return [
    {
      level: 'wrong',
      headline: `${plural(failing.length, 'message')} ${failing.length === 1 ? 'fails' : 'fail'} at the consumer: ${firstWords(first.reason, 100)}.`,
      detail: `Failed ${plural(first.failures, 'time')}, last at ${clock(first.last_failed_at)}. After five receives SQS moves a message to the dead-letter queue. Other messages are not blocked.`,
      actions: ['Open Needs you: it shows why each message fails.'],
      stations: [5],
    },
  ]
}

function queuedUp({ queue }: View): Finding[] {
  if (queue.kind !== 'answered' || queue.value.visible < QUEUED_UP) return []
  return [
    {
      level: 'busy',
      headline: `${plural(queue.value.visible, 'message')} wait in the queue.`,
      detail: 'The consumers take fewer messages than arrive. None is lost: SQS keeps them for 14 days.',
      actions: ['Start more instances of notification-service if the number keeps growing.'],
      stations: [4],
    },
  ]
}

function retriedEvents({ products }: View): Finding[] {
  if (products.kind !== 'answered' || products.value.backlog.failed === 0) return []
  const { failed } = products.value.backlog
  return [
    {
      level: 'busy',
      headline: `SQS refused ${plural(failed, 'event')}; the relay retries.`,
      detail:
        'A refused event blocks the later events of its own product and no others. After ten attempts it is dead.',
      actions: [],
      stations: [],
    },
  ]
}

/** How many dead events, abandoned deliveries, messages in the dead-letter queue and disabled endpoints there are. */
export function needsYou({ products, notifications, queue }: View): number {
  const side = lastOf(notifications)
  return (
    (lastOf(products)?.backlog.dead ?? 0) +
    (side?.backlog.dead ?? 0) +
    (lastOf(queue)?.dead_letters ?? 0) +
    (side?.failing.length ?? 0) +
    (side?.disabled.length ?? 0)
  )
}

function waitForAPerson(view: View): Finding[] {
  const count = needsYou(view) - (lastOf(view.notifications)?.failing.length ?? 0)
  if (count === 0) return []
  return [
    {
      level: 'busy',
      headline: `${plural(count, 'thing')} ${count === 1 ? 'needs' : 'need'} you.`,
      detail: 'Dead events, abandoned deliveries and messages in the dead-letter queue block nothing and are kept.',
      actions: ['Open Needs you: it groups them by reason and redrives them.'],
      stations: [],
    },
  ]
}
