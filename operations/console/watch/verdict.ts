import type { Verdict } from '../answers.ts'
import { windowOf } from '../../status/window.ts'
import { lastOf } from './source.ts'
import type { View } from './view.ts'
import { firstWords } from './travelling.ts'
import { clock, duration, plural } from './words.ts'

/** Something that is not as it should be, with the stations (1 to 7) where it shows. */
export interface Finding extends Verdict {
  stations: number[]
}

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

function silentDatabases({ products, notifications, now }: View): Finding[] {
  const silent = [products, notifications].filter((known) => known.kind === 'silent')
  const [first] = silent
  if (first === undefined) return []
  const both = silent.length === 2
  const which = products.kind === 'silent' ? 'of product-service' : 'of notification-service'
  const effect =
    products.kind === 'silent'
      ? 'Products can not be changed now: the API answers 503. Every committed event is kept.'
      : 'Messages wait in the queue, and none is lost.'
  return [
    {
      level: 'wrong',
      headline: both ? 'PostgreSQL is unreachable.' : `PostgreSQL ${which} is unreachable.`,
      detail: `Since ${clock(first.since)}, ${ago(first.since, now)}: ${first.reason}. ${effect} All processes retry automatically.`,
      actions: ['Start PostgreSQL, or repair the network to it. No process needs a restart afterwards.'],
      stations: products.kind === 'silent' ? (both ? [2, 3, 6] : [2, 3]) : [6],
    },
  ]
}

function silentQueue(view: View): Finding[] {
  const { queue, now, before, after } = view
  const own = (service: string) =>
    windowOf(
      before.filter((look) => look.service === service),
      after.filter((look) => look.service === service),
    )
  const relay = own('product-service').least('dependency_up', { dependency: 'queue' })
  const backlog = lastOf(view.products)?.backlog
  const waiting = (backlog?.pending ?? 0) + (backlog?.failed ?? 0)
  const refused = relay === 0 && waiting > 0
  if (queue.kind !== 'silent' && !refused) return []
  const wait =
    waiting === 0
      ? 'No event waits yet.'
      : `${plural(waiting, 'event')} ${waiting === 1 ? 'waits' : 'wait'} in the outbox, and none is lost.`
  // Nobody looked before; events that wait tell how long it lasts.
  const oldest = waiting === 0 ? now : now - (backlog?.oldest_seconds ?? 0) * 1000
  const since = queue.kind === 'silent' ? Math.min(queue.since, oldest) : oldest
  const reason =
    queue.kind === 'silent'
      ? `Since ${clock(since)}, ${ago(since, now)}: ${queue.reason}.`
      : `The oldest waits for ${duration(backlog?.oldest_seconds ?? 0)}.`
  return [
    {
      level: 'wrong',
      headline: queue.kind === 'silent' ? `SQS is unreachable. ${wait}` : `SQS takes no events. ${wait}`,
      detail: `${reason} The relay retries automatically, at least every 2 s, and no attempt is used up. Products can still be changed.`,
      actions: ['Check SQS, its credentials and the network to it. Delivery resumes without a restart.'],
      stations: [3, 4, 5],
    },
  ]
}

function ago(since: number, now: number): string {
  return `${duration(Math.max(1, Math.round((now - since) / 1000)))} ago`
}

function silentProcesses({ after }: View): Finding[] {
  return after.flatMap((look): Finding[] => {
    const stations = look.service === 'product-service' ? [1, 2] : [5, 6, 7]
    if (look.kind === 'silent')
      return [
        {
          level: 'wrong',
          headline: `${look.service} does not answer.`,
          detail: `${look.url}: ${look.reason}. What is committed and what is in the queue is kept.`,
          actions: [`Look at the process behind ${look.url}: restart it when it is gone or frozen.`],
          stations,
        },
      ]
    const missing = Object.entries(look.missing).map(([part, what]) => `${part} ${what}`)
    if (missing.length === 0) return []
    return [
      {
        level: 'wrong',
        headline: `${look.service} is not ready.`,
        detail: `${look.url}: ${missing.join('; ')}.`,
        actions: [],
        stations,
      },
    ]
  })
}

function lanesWithoutRelay({ products }: View): Finding[] {
  if (products.kind !== 'answered') return []
  const { lanes, backlog } = products.value
  const alive = new Set(lanes.relays.filter(({ lease_seconds: left }) => left > 0).map(({ id }) => id))
  const free = lanes.owners.filter((owner) => owner === null || !alive.has(owner)).length
  const waiting = backlog.pending + backlog.failed
  // Lanes change hands within a second; only what waits makes a free lane a problem.
  if (free === 0 || (waiting === 0 && free < lanes.owners.length)) return []
  const all = free === lanes.owners.length
  return [
    {
      level: 'wrong',
      headline: all
        ? `No relay is alive. ${plural(waiting, 'event')} ${waiting === 1 ? 'waits' : 'wait'} in the outbox.`
        : `${plural(free, 'lane')} without a relay.`,
      detail: 'The lease of a relay that ended runs out after 10 s; then another relay takes over its lanes.',
      actions: ['Start product-service, or a relay alone: npm run relay'],
      stations: [3],
    },
  ]
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
