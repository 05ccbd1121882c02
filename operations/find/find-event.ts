import type { Database } from '../database.ts'
import { sequenceOf, wayOf } from './event-way.ts'
import type { EventWay, FailedMessage, Found, Looked, NotificationRow, OutboxRow } from './found.ts'
import { readId } from './ids.ts'
import { findFailures, findNotifications } from './notification-rows.ts'
import { findAmongNewest, findNear, findRow, findUnpublished, scanSince } from './outbox-rows.ts'
import { eventIdOf } from './place.ts'
import { type Look, type Sources, startLook } from './sources.ts'

export interface FindOptions extends Sources {
  /** How far back a trace id or an id of another origin is looked for, in milliseconds. An hour if it is left out. */
  sinceMs?: number
}

/** How far a scan goes back: half a million rows at 140 events a second. */
export const SINCE_MS = 3_600_000
/** The newest events of a product. More of them would be many screens, and as many searches. */
const MOST_WAYS = 20
const DELETED = 'product.deleted'

/**
 * Finds an event by its own id, by that of its product, notification or SQS message, by a trace id, or by the number of
 * its row; and says where it is. The ids that our services make (UUIDv7) cost the same however large the tables are.
 * Resolves with what could be learnt if a database or SQS does not answer (`looked.missing`). Never rejects because of
 * it.
 */
export async function findEvent(text: string, options: FindOptions): Promise<Found> {
  const started = performance.now()
  const look = startLook(options)
  const since = new Date(Date.now() - (options.sinceMs ?? SINCE_MS))
  let scanned = false
  const looked = (): Looked => ({
    milliseconds: Math.round((performance.now() - started) * 10) / 10,
    ...look.cost,
    since: scanned ? since : null,
    missing: look.missing,
  })
  const wanted = readId(text)
  if (wanted.kind === 'no-id') return wanted
  const scan = (what: { eventId: string } | { traceId: string }) => {
    scanned = true
    return look.ask('products', (db) => scanSince(db, what, since, look.cost))
  }
  if (wanted.kind === 'row') {
    const row = await look.ask('products', (db) => findRow(db, wanted.id))
    if (!row) return { kind: 'not-found', looked: looked() }
    return { kind: 'event', way: await wayOf(row.event_id, { row }, look), looked: looked() }
  }
  if (wanted.kind === 'trace') {
    const rows = (await scan({ traceId: wanted.id })) ?? []
    return several('trace', wanted.id, await ways(rows, [], look), { more: false, looked })
  }
  const { id, at } = wanted
  const [notifications = [], failures = [], product] = await Promise.all([
    look.ask('notifications', (db) => findNotifications(db, id, MOST_WAYS + 1)),
    look.ask('notifications', (db) => findFailures(db, [id])),
    look.ask('products', (db) => readProduct(db, id)),
  ])
  const [notification] = notifications
  const isKnown = notification !== undefined && notification.product_id !== id
  // The answer will depend on the queue: its depth is there when the outbox has been looked through.
  if (at && !notification && !product) void look.depth()
  const near = at && !isKnown ? await look.ask('products', (db) => findNear(db, id, at, look.cost)) : undefined
  if (product || notification?.product_id === id || near?.some((one) => one.key === id))
    return ofProduct(id, { product, notifications, near: near ?? [] }, { look, looked })
  const pieces = chosen(id, notification, near?.[0], failures[0])
  if (pieces) return { kind: 'event', way: await wayOf(pieces.eventId, pieces, look), looked: looked() }
  const [row] = at ? [] : ((await scan({ eventId: id })) ?? [])
  if (row) return { kind: 'event', way: await wayOf(row.event_id, { row }, look), looked: looked() }
  return asMessage(id, failures[0], { look, looked })
}

type Rest = { look: Look; looked: () => Looked }

/** The event that one of the first answers names. */
function chosen(
  id: string,
  notification: NotificationRow | undefined,
  row: OutboxRow | undefined,
  failure: FailedMessage | undefined,
): { eventId: string; notification?: NotificationRow; row?: OutboxRow; failure?: FailedMessage } | undefined {
  const eventId = notification?.event_id ?? row?.event_id ?? failure?.event_id
  if (!eventId) return undefined
  return {
    eventId,
    ...(notification && { notification }),
    ...(row?.event_id === eventId && { row }),
    ...(failure && (failure.message_id === id || failure.event_id === id) && { failure }),
  }
}

interface Product {
  version: number
}

async function readProduct(db: Database, id: string): Promise<Product | undefined> {
  const { rows } = await db.query<Product>('SELECT version FROM public.products WHERE id = $1', [id])
  return rows[0]
}

interface OfProduct {
  /** Undefined: deleted, or never there. */
  product: Product | undefined
  notifications: NotificationRow[]
  near: OutboxRow[]
}

/** The newest events of a product: those stored, those not published, and, if one is missing, those just published. */
async function ofProduct(id: string, { product, notifications, near }: OfProduct, rest: Rest): Promise<Found> {
  const { look, looked } = rest
  const waiting = (await look.ask('products', (db) => findUnpublished(db, id, MOST_WAYS + 1))) ?? []
  const known = [...near, ...waiting]
  const newest = hasLast(product, notifications, known)
    ? []
    : ((await look.ask('products', (db) => findAmongNewest(db, id, MOST_WAYS + 1, look.cost))) ?? [])
  const rows = [...new Map([...known, ...newest].map((row) => [row.id, row])).values()]
  const found = await ways(rows, notifications, look)
  const more = notifications.length > MOST_WAYS || found.length > MOST_WAYS
  return several('product', id, found.slice(-MOST_WAYS), { more, looked })
}

/** Whether the event of the product's last change is known: it has the product's version, or is its delete. */
function hasLast(product: Product | undefined, notifications: NotificationRow[], rows: OutboxRow[]): boolean {
  if (!product)
    return [...notifications.map((one) => one.event_type), ...rows.map(({ type }) => type)].includes(DELETED)
  const sequences = [...notifications.map(({ sequence }) => sequence), ...rows.map(sequenceOf)]
  return sequences.includes(String(product.version))
}

function several(
  of: 'product' | 'trace',
  id: string,
  found: EventWay[],
  { more, looked }: { more: boolean; looked: () => Looked },
): Found {
  if (found.length === 0) return { kind: 'not-found', looked: looked() }
  if (of === 'trace' && found.length === 1) return { kind: 'event', way: found[0]!, looked: looked() }
  return { kind: 'events', of, id, ways: found, more, looked: looked() }
}

/** The ways of all events that have a row or a notification, by sequence. */
async function ways(rows: OutboxRow[], notifications: NotificationRow[], look: Look): Promise<EventWay[]> {
  const pieces = new Map<string, { row?: OutboxRow; notification?: NotificationRow; sequence: bigint }>()
  const add = (eventId: string, sequence: string | null, piece: { row?: OutboxRow; notification?: NotificationRow }) =>
    pieces.set(eventId, { ...pieces.get(eventId), ...piece, sequence: BigInt(sequence ?? 0) })
  for (const notification of notifications) add(notification.event_id, notification.sequence, { notification })
  for (const row of rows) add(row.event_id, sequenceOf(row), { row })
  const sorted = [...pieces].toSorted(([, one], [, other]) => (one.sequence < other.sequence ? -1 : 1))
  return Promise.all(sorted.slice(-MOST_WAYS - 1).map(([eventId, piece]) => wayOf(eventId, piece, look)))
}

/** An id of SQS, or of an event whose row is gone: what the consumer noted of it, or the dead-letter queue itself. */
async function asMessage(id: string, failure: FailedMessage | undefined, { look, looked }: Rest): Promise<Found> {
  const letters = await look.deadLetters()
  const letter = letters.find((message) => message.MessageId?.toLowerCase() === id || eventIdOf(message) === id)
  const eventId = letter && eventIdOf(letter)
  if (eventId && /^[0-9a-f-]{36}$/.test(eventId))
    return { kind: 'event', way: await wayOf(eventId, failure ? { failure } : {}, look), looked: looked() }
  if (!letter && !failure) return { kind: 'not-found', looked: looked() }
  return {
    kind: 'message',
    message_id: letter?.MessageId ?? failure?.message_id ?? id,
    failure: failure ?? null,
    body: letter?.Body ?? null,
    looked: looked(),
  }
}
