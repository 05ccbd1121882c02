import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkHistory, type Violation } from './check.ts'
import { type History, type Operation, type StoredEvent, tellProduct } from './history.ts'
import { historyOf, lives } from './lives.ts'

const kindsOf = (violations: Violation[]) => [...new Set(violations.map(({ kind }) => kind))]

test('a history in which every promise is kept has no violation, whatever was resent, unanswered, refused or dead', () => {
  const promiseIsKept = fc.property(lives, (all) => {
    expect(checkHistory(historyOf(all))).toEqual([])
  })
  fc.assert(promiseIsKept)
})

/** What spoils a history: returns false where there is nothing of that kind to spoil. */
type Spoil = (history: History, pick: <Item>(items: Item[]) => Item | undefined) => boolean

const spoils: [Violation['kind'], string, Spoil][] = [
  ['lost', 'a notification is missing', ({ notifications }, pick) => remove(notifications, pick(notifications))],
  ['lost', 'a notified event is still pending', ({ events }, pick) => setStatus(living(events, pick), 'pending')],
  ['lost', 'a notified event waits for its next try', ({ events }, pick) => setStatus(living(events, pick), 'failed')],
  [
    'lost',
    'an acknowledged change left no trace at all',
    (history, pick) => {
      const operation = pick(
        history.operations.filter(({ outcome, type }) => outcome === 'ok' && type !== 'product.deleted'),
      )
      const event = history.events.find(({ label }) => label === operation?.label)
      if (!event) return false
      forget(history, event)
      return true
    },
  ],
  [
    'lost',
    'an event is processed that the queue never accepted',
    (history, pick) => {
      const event = living(history.events, pick)
      history.accepted = history.accepted.filter(({ eventId }) => eventId !== event?.eventId)
      return event !== undefined
    },
  ],
  [
    'lost',
    'a product has a version that no event tells of',
    ({ products }, pick) => {
      const product = pick(products)
      if (product) product.version++
      return product !== undefined
    },
  ],
  [
    'invented',
    'a notification has no event',
    ({ notifications }) => {
      notifications.push({ eventId: 'stray', productId: 'stray', type: 'product.created', sequence: 1 })
      return true
    },
  ],
  [
    'invented',
    'a notification says something else than its event',
    ({ notifications }, pick) => {
      const notification = pick(notifications)
      if (notification) notification.sequence += 100
      return notification !== undefined
    },
  ],
  [
    'invented',
    'the queue has a message that was never committed',
    ({ accepted }) => accepted.push({ eventId: 'stray', productId: 'stray', sequence: 1 }) > 0,
  ],
  ['invented', 'nobody made the change', (history, pick) => remove(history.operations, happened(history, pick))],
  [
    'invented',
    'a change that was answered with "no" happened',
    (history, pick) => {
      const operation = happened(history, pick)
      if (operation) operation.outcome = 'failed'
      return operation !== undefined
    },
  ],
  [
    'invented',
    'an event tells of a product that is not there',
    ({ products }, pick) => remove(products, pick(products)),
  ],
  [
    'duplicated',
    'an event is notified twice',
    ({ notifications }, pick) => {
      const notification = pick(notifications)
      if (notification) notifications.push({ ...notification })
      return notification !== undefined
    },
  ],
  [
    'duplicated',
    'one change has two events, each notified',
    ({ events, accepted, notifications }, pick) => {
      const event = living(events, pick)
      if (!event) return false
      const twin = { ...event, eventId: 'twin', id: '99999' }
      events.push(twin)
      accepted.push(twin)
      notifications.push(twin)
      return true
    },
  ],
  [
    'disordered',
    'the queue accepted two events of a product the wrong way round',
    (history, pick) => {
      const [former, latter] = neighbours(history.events, pick)
      if (!former || !latter) return false
      history.accepted = history.accepted.filter(({ eventId }) => eventId !== former.eventId)
      history.accepted.push(former)
      return true
    },
  ],
  [
    'disordered',
    'two events of a product were committed the wrong way round',
    ({ events }, pick) => {
      const [former, latter] = neighbours(events, pick)
      if (!former || !latter) return false
      ;[former.id, latter.id] = [latter.id, former.id]
      return true
    },
  ],
]

test.each(spoils)('%s: it is found when %s', (kind, _what, spoil) => {
  let spoilt = 0
  fc.assert(
    fc.property(lives, fc.nat(), (all, seed) => {
      const history = historyOf(all)
      if (!spoil(history, (items) => items[seed % items.length])) return
      spoilt++
      expect(kindsOf(checkHistory(history))).toContain(kind)
    }),
  )
  expect(spoilt).toBeGreaterThan(10)
})

test('a violation names the product, and its history tells all that is known of it', () => {
  const changes = [1, 2].map(() => ({ outcome: 'ok' as const, dead: false, resent: false }))
  const history = historyOf([{ changes, deleted: true, withoutEffect: [] }])
  history.notifications = history.notifications.filter(({ sequence }) => sequence !== 2)
  const [violation, ...others] = checkHistory(history)
  expect(others).toEqual([])
  expect(violation).toMatchObject({ kind: 'lost', productId: 'product-0' })
  const told = tellProduct(history, 'product-0')
  for (const line of ['client        product.deleted', 'outbox        10', 'queue         event-product-0-2'])
    expect(told).toContain(line)
})

function living(events: StoredEvent[], pick: <Item>(items: Item[]) => Item | undefined): StoredEvent | undefined {
  return pick(events.filter(({ status }) => status !== 'dead'))
}

/** Two events of one product, one right after the other, that the queue accepted. */
function neighbours(
  events: StoredEvent[],
  pick: <Item>(items: Item[]) => Item | undefined,
): [] | [StoredEvent | undefined, StoredEvent] {
  const alive = events.filter(({ status }) => status !== 'dead')
  const latter = pick(alive.filter((event, at) => alive[at - 1]?.productId === event.productId))
  return latter ? [alive[alive.indexOf(latter) - 1], latter] : []
}

function happened(
  { operations, events }: History,
  pick: <Item>(items: Item[]) => Item | undefined,
): Operation | undefined {
  const labels = new Set(events.map(({ label }) => label))
  return pick(operations.filter(({ label, type }) => type === 'product.deleted' || labels.has(label)))
}

function setStatus(event: StoredEvent | undefined, status: StoredEvent['status']): boolean {
  if (event) event.status = status
  return event !== undefined
}

function remove<Item>(items: Item[], item: Item | undefined): boolean {
  if (item === undefined) return false
  items.splice(items.indexOf(item), 1)
  return true
}

/** As if its transaction had never been. */
function forget(history: History, event: StoredEvent): void {
  history.events = history.events.filter((other) => other !== event)
  history.accepted = history.accepted.filter(({ eventId }) => eventId !== event.eventId)
  history.notifications = history.notifications.filter(({ eventId }) => eventId !== event.eventId)
}
