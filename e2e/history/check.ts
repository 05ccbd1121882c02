import type { History, Operation, StoredEvent } from './history.ts'

export const violationKinds = ['lost', 'invented', 'duplicated', 'disordered'] as const
export interface Violation {
  kind: (typeof violationKinds)[number]
  /** Undefined where the client never learnt which product it was. */
  productId: string | undefined
  what: string
}

type Check = (history: History) => Violation[]

/**
 * Decides whether a history, taken after everything has drained, keeps the promises. Empty when it does.
 *
 * - lost: a change without its event, an event without its notification, or one that is still waiting;
 * - invented: a notification without an event, an event without a change, a change that was answered with "no";
 * - duplicated: two notifications of one event, or two events of one change;
 * - disordered: the outbox or the queue got the events of a product in another order than that of its changes. A dead
 *   event may be missing. Acceptances after the first are at-least-once at work, and say nothing.
 */
export function checkHistory(history: History): Violation[] {
  return checks.flatMap((check) => check(history))
}

const acknowledgedChangesHaveEvents: Check = ({ operations, events }) => {
  const byProduct = Map.groupBy(events, (event) => event.productId)
  return operations
    .filter(({ outcome }) => outcome === 'ok')
    .filter((operation) => {
      const candidates = byProduct.get(operation.productId ?? '') ?? []
      return !candidates.some((event) => event.type === operation.type && tells(event, operation))
    })
    .map(({ productId, type, label }) => ({
      kind: 'lost' as const,
      productId,
      what: `${type} (${label}) was acknowledged, and there is no event of it`,
    }))
}

/** A deletion leaves no label: its event bears the last state, and a product is deleted once. */
function tells(event: StoredEvent, { type, label, version }: Operation): boolean {
  return type === 'product.deleted' || (event.label === label && event.sequence === version)
}

const eventsAreDelivered: Check = ({ events, accepted, notifications }) => {
  const atQueue = new Set(accepted.map(({ eventId }) => eventId))
  const notified = new Set(notifications.map(({ eventId }) => eventId))
  return events.flatMap(({ eventId, productId, sequence, status }) => {
    const lost = (what: string) => ({
      kind: 'lost' as const,
      productId,
      what: `event ${eventId} (${sequence}) ${what}`,
    })
    if (status === 'dead') return []
    if (status !== 'processed') return [lost(`is still ${status}`)]
    if (!atQueue.has(eventId)) return [lost('is processed, and the queue never accepted it')]
    return notified.has(eventId) ? [] : [lost('was accepted by the queue, and nobody was notified')]
  })
}

const factsAreWhole: Check = ({ products, events }) => {
  const last = new Map<string, StoredEvent>()
  for (const event of events) {
    if (event.sequence > (last.get(event.productId)?.sequence ?? 0)) last.set(event.productId, event)
  }
  const rows = new Map(products.map(({ id, version }) => [id, version]))
  const withoutEvent = products
    .filter(({ id, version }) => version > (last.get(id)?.sequence ?? 0))
    .map(({ id, version }) => ({
      kind: 'lost' as const,
      productId: id,
      what: `the product has version ${version}, and there is no event of it`,
    }))
  const withoutChange = [...last.values()]
    .filter(({ productId, type, sequence }) => {
      const version = rows.get(productId) ?? 0
      return type === 'product.deleted' ? version > 0 : version < sequence
    })
    .map(({ productId, type, sequence }) => ({
      kind: 'invented' as const,
      productId,
      what: `${type} ${sequence} tells of a state that the product is not in`,
    }))
  return [...withoutEvent, ...withoutChange]
}

const notificationsHaveEvents: Check = ({ events, accepted, notifications }) => {
  const byId = new Map(events.map((event) => [event.eventId, event]))
  const strayMessages = accepted.filter(({ eventId }) => !byId.has(eventId))
  const stray = notifications.filter((notification) => {
    const event = byId.get(notification.eventId)
    return !(
      event?.productId === notification.productId &&
      event.type === notification.type &&
      event.sequence === notification.sequence
    )
  })
  return [
    ...strayMessages.map(({ productId, eventId }) => ({
      kind: 'invented' as const,
      productId,
      what: `the queue has event ${eventId}, which was never committed`,
    })),
    ...stray.map(({ productId, eventId, type, sequence }) => ({
      kind: 'invented' as const,
      productId,
      what: `a notification of ${type} ${sequence} has no event like it (${eventId})`,
    })),
  ]
}

const eventsHaveChanges: Check = ({ operations, events }) => {
  const possible = operations.filter(({ outcome }) => outcome !== 'failed')
  const changes = new Map(possible.map((operation) => [operation.label, operation]))
  const deletions = new Set(possible.filter(({ type }) => type === 'product.deleted').map(({ productId }) => productId))
  return events
    .filter(({ type, label, productId }) => {
      if (type === 'product.deleted') return !deletions.has(productId)
      const change = changes.get(label)
      return change?.type !== type || (change.productId ?? productId) !== productId
    })
    .map(({ productId, type, sequence }) => ({
      kind: 'invented' as const,
      productId,
      what: `event ${type} ${sequence} tells of a change that nobody made, or that was answered with "no"`,
    }))
}

const nothingTwice: Check = ({ events, notifications }) => [
  ...repeated(notifications, ({ eventId }) => eventId, 'notifications of one event'),
  ...repeated(notifications, ({ productId, sequence }) => `${productId} ${sequence}`, 'notifications of one change'),
  ...repeated(events, ({ productId, sequence }) => `${productId} ${sequence}`, 'events of one sequence'),
  ...repeated(
    events.filter(({ type }) => type !== 'product.deleted'),
    ({ type, label }) => `${type} ${label}`,
    'events of one change',
  ),
]

function repeated<Item extends { productId: string }>(
  items: Item[],
  identity: (item: Item) => string,
  what: string,
): Violation[] {
  return [...Map.groupBy(items, identity)]
    .filter(([, same]) => same.length > 1)
    .map(([id, same]) => ({
      kind: 'duplicated',
      productId: same[0]?.productId,
      what: `${same.length} ${what} (${id})`,
    }))
}

const orderIsKept: Check = ({ events, accepted }) => {
  const atQueue = Map.groupBy(accepted, ({ productId }) => productId)
  return [...Map.groupBy(events, ({ productId }) => productId)].flatMap(([productId, own]) => {
    const disordered = (what: string): Violation => ({ kind: 'disordered', productId, what })
    const sorted = own.toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1))
    const sequences = sorted.map(({ sequence }) => sequence)
    if (!sequences.every((sequence, index) => sequence === index + 1))
      return [disordered(`the outbox has the sequences ${sequences.join(', ')}`)]
    if (!sorted.every(({ type }, index) => rightPlace(type, index, sorted.length)))
      return [disordered(`the outbox has ${sorted.map(({ type }) => type).join(', ')}`)]
    const living = sorted.filter(({ status }) => status !== 'dead').map(({ eventId }) => eventId)
    const first = [...new Set((atQueue.get(productId) ?? []).map(({ eventId }) => eventId))]
    const relevant = first.filter((eventId) => living.includes(eventId))
    if (relevant.every((eventId, index) => eventId === living[index])) return []
    const order = relevant.map((eventId) => own.find((event) => event.eventId === eventId)?.sequence)
    return [disordered(`the queue first accepted the sequences ${order.join(', ')}`)]
  })
}

/** A change that demanded version v and was done made version v + 1, and no other change was done from v. */
const preconditionsHold: Check = ({ operations }) => {
  const demanding = operations.filter(({ outcome, from }) => outcome === 'ok' && from !== undefined)
  const wrong = demanding
    .filter(({ type, from = 0, version }) => type === 'product.updated' && version !== from + 1)
    .map(({ productId, from, version }) => ({
      kind: 'disordered' as const,
      productId,
      what: `a change from version ${from} was answered with version ${version}`,
    }))
  return [
    ...wrong,
    ...repeated(
      demanding.map((operation) => ({ ...operation, productId: operation.productId ?? '' })),
      ({ productId, from }) => `${productId} ${from}`,
      'changes from one version that each demanded it',
    ),
  ]
}

/** A product is created first, and deleted last or not at all. */
function rightPlace(type: string, index: number, length: number): boolean {
  if (index === 0) return type === 'product.created'
  return type === 'product.updated' || (type === 'product.deleted' && index === length - 1)
}

const checks: Check[] = [
  acknowledgedChangesHaveEvents,
  eventsAreDelivered,
  factsAreWhole,
  notificationsHaveEvents,
  eventsHaveChanges,
  nothingTwice,
  orderIsKept,
  preconditionsHold,
]
