import { duration, plural } from '@product-events/terminal'
import type { Verdict } from '../answers.ts'
import { windowOf } from '../../status/window.ts'
import { lastOf } from './source.ts'
import type { View } from './view.ts'
import { clock } from './clock.ts'

/** Something that is not as it should be, with the stations (1 to 7) where it shows. */
export interface Finding extends Verdict {
  stations: number[]
}

export function silentDatabases({ products, notifications, now }: View): Finding[] {
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

export function silentQueue(view: View): Finding[] {
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

export function silentProcesses({ after }: View): Finding[] {
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

export function lanesWithoutRelay({ products }: View): Finding[] {
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
