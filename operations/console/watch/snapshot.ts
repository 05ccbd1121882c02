import type { OutboxView, Snapshot, Traveller } from '../answers.ts'
import { windowOf } from '../../status/window.ts'
import { lastOf } from './source.ts'
import { stationsOf } from './stations.ts'
import { toTraveller } from './travelling.ts'
import { findingsOf, needsYou, verdictOf } from './verdict.ts'
import type { View } from './view.ts'
import type { Lanes } from './products.ts'

/** What the page shows, of all that is known. */
export function snapshotOf(view: View, history: Snapshot['history']): Snapshot {
  const findings = findingsOf(view)
  const wrong = new Set(findings.filter(({ level }) => level === 'wrong').flatMap(({ stations }) => stations))
  const { sum } = windowOf(view.before, view.after)
  const known = view.products.kind !== 'asking' || view.queue.kind !== 'asking'
  return {
    at: new Date(view.now).toISOString(),
    verdict: verdictOf(view, findings),
    stations: stationsOf(view, wrong),
    totals: {
      created: sum('products_created_total') ?? null,
      updated: sum('products_updated_total') ?? null,
      deleted: sum('products_deleted_total') ?? null,
      notified: sum('notifications_total') ?? null,
      duplicates: sum('notifications_duplicates_total') ?? null,
    },
    processes: view.after.map((look) => {
      const { service, url } = look
      if (look.kind === 'silent') return { service, url, health: 'no answer', detail: look.reason }
      const missing = Object.entries(look.missing).map(([part, what]) => `${part} ${what}`)
      return { service, url, health: missing.length === 0 ? 'ready' : 'not ready', detail: missing.join('; ') }
    }),
    travelling: travellersOf(view),
    history,
    needs_you: known ? needsYou(view) : null,
    outboxes: [
      outboxView('product-service', lastOf(view.products)?.lanes, view.products),
      outboxView('notification-service', lastOf(view.notifications)?.lanes, view.notifications),
    ],
  }
}

function travellersOf(view: View): Traveller[] {
  const events = lastOf(view.products)?.events ?? []
  const side = lastOf(view.notifications)
  const owners = lastOf(view.products)?.lanes.owners ?? []
  const failing = new Map((side?.failing ?? []).map(({ event_id, reason }) => [event_id, reason]))
  const outage =
    view.products.kind === 'silent'
      ? 'PostgreSQL is unreachable'
      : view.queue.kind === 'silent'
        ? 'waits for SQS'
        : undefined
  const oldestWaiting = new Map<string, string>()
  for (const { key, id, status } of events) if (status === 'pending' || status === 'failed') oldestWaiting.set(key, id)
  return events.map((event) =>
    toTraveller(event, {
      now: view.now,
      storedAt: side?.stored.get(event.event_id),
      outage,
      behindOlder: (oldestWaiting.get(event.key) ?? event.id) !== event.id,
      lane: owners[event.lane] ? 'owned' : 'free',
      failing: failing.get(event.event_id),
    }),
  )
}

function outboxView(service: string, lanes: Lanes | undefined, { kind }: { kind: string }): OutboxView {
  const relays = lanes?.relays ?? []
  return {
    service,
    lanes: (lanes?.owners ?? []).map((owner) => {
      const index = relays.findIndex(({ id }) => id === owner)
      return index === -1 ? null : index
    }),
    relays: relays.map(({ id, name, lease_seconds }) => ({
      name,
      lanes: lanes?.owners.filter((owner) => owner === id).length ?? 0,
      lease_seconds,
    })),
    unknown: kind === 'answered' ? null : 'its database does not answer: this is the last state that was read',
  }
}
