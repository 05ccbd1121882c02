import type { ProductEventType } from '@product-events/contracts'

/** One call to the API, and what its client knows of it afterwards. */
export interface Operation {
  type: ProductEventType
  /** Unlike that of any other operation: the name that a created or updated product was given. */
  label: string
  /** Undefined for a creation whose answer never came. */
  productId?: string
  /** `ok`: it happened. `failed`: it did not. `unknown` (503, a connection that was cut): it did or did not. */
  outcome: 'ok' | 'failed' | 'unknown'
  /** Of the product in the answer, if it bore one. */
  version?: number
  /** The version that the change demanded, by `If-Match`. */
  from?: number
  /** The call bore an `Idempotency-Key`, and was made again under it until it was answered, or given up. */
  tries?: number
  /** What the client saw, for people. */
  answer: string
}

/** A row of the outbox at the end: a committed event. */
export interface StoredEvent {
  /** A bigint in decimal digits. */
  id: string
  eventId: string
  productId: string
  type: ProductEventType
  sequence: number
  /** The name of the product in the event. */
  label: string
  status: 'pending' | 'processed' | 'failed' | 'dead'
}

/** The queue took responsibility for a message and said so. */
export interface Acceptance {
  eventId: string
  productId: string
  sequence: number
}

/** A row of the notification database at the end. */
export interface StoredNotification {
  eventId: string
  productId: string
  type: string
  sequence: number
}

/** A row of `products` at the end. */
export interface StoredProduct {
  id: string
  version: number
}

/**
 * What happened, by four witnesses that know nothing of each other: clients, product database, queue, notifications.
 */
export interface History {
  operations: Operation[]
  products: StoredProduct[]
  events: StoredEvent[]
  /** In the order in which the queue accepted them. */
  accepted: Acceptance[]
  notifications: StoredNotification[]
}

/** Everything that is known of one product, as lines for people. */
export function tellProduct(history: History, productId: string): string {
  const of = <Item extends { productId?: string }>(items: Item[]) => items.filter((it) => it.productId === productId)
  const labels = new Set(of(history.events).map(({ label }) => label))
  const lines = [
    ...history.operations
      .filter((operation) => operation.productId === productId || labels.has(operation.label))
      .map(({ type, label, outcome, answer }) => `client        ${type} ${label}: ${outcome} (${answer})`),
    ...history.products.filter(({ id }) => id === productId).map(({ version }) => `products      version ${version}`),
    ...of(history.events).map(
      ({ id, eventId, type, sequence, status }) => `outbox        ${id} ${eventId} ${type} ${sequence}: ${status}`,
    ),
    ...of(history.accepted).map(({ eventId, sequence }) => `queue         ${eventId} ${sequence}`),
    ...of(history.notifications).map(({ eventId, type, sequence }) => `notifications ${eventId} ${type} ${sequence}`),
  ]
  return [`product ${productId}`, ...lines.map((line) => `  ${line}`)].join('\n')
}
