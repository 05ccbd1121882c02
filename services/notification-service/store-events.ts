import { randomUUIDv7 } from 'node:crypto'
import { transaction } from '@product-events/database'
import type { Entry, Message, Store, Stored } from '@product-events/inbox'
import { type SpanContext, type TraceHeaders, traceHeaders } from '@product-events/telemetry'
import type pg from 'pg'
import { type Outgoing, storeAll, storeWithDeliveries } from './channels/store-with-deliveries.ts'
import type { NotifiableEvent } from './notifiable-event.ts'
import { findStored, type Found } from './notifications/store.ts'

export interface StoreOptions {
  pool: pg.Pool
  /** The channels beside the log; undefined when none is configured. */
  outgoing?: Outgoing | undefined
  /** Called after each commit that stored notifications. */
  onStored?: (() => void) | undefined
  /** Deliveries carry on the trace of their message. */
  contextOf: (message: Message) => SpanContext | undefined
}

type Entries = readonly Entry<NotifiableEvent>[]

/**
 * SQLSTATE: unique_violation. A second event with one id is not an error, and this service draws the other unique
 * columns itself.
 */
const UNIQUE_VIOLATION = '23505'

/** Ends a transaction that must leave no trace. */
class RolledBack extends Error {}

/** The store of the inbox: `notifications.event_id` is the only record of an event, so nothing is written twice. */
export function notificationStore({ pool, outgoing, onStored, contextOf }: StoreOptions): Store<NotifiableEvent> {
  return {
    isOutage: (error) => (error as { code?: unknown }).code === UNIQUE_VIOLATION,

    async store(entries) {
      const notifications = entries.map(({ event }) => event.notification)
      const contents = new Map(entries.map(({ event, content }) => [event.notification.id, content]))
      const traces = outgoing && tracesOf(entries, contextOf)
      const inserted = await storeWithDeliveries(pool, notifications, outgoing, traces, contents)
      if (inserted.length > 0) onStored?.()
      const delays = new Map(inserted.map(({ id, delay_seconds }) => [id, delay_seconds]))
      const others = entries.filter(({ event }) => !delays.has(event.notification.id)).map(({ event }) => event.id)
      const found = others.length > 0 ? await findStored(pool, others) : new Map<string, Found>()
      return entries.map((entry) => resultOf(entry, delays.get(entry.event.notification.id), found))
    },

    async probe() {
      const id = randomUUIDv7()
      const texts = { event_type: 'product.created', title: 'probe', message: 'probe' }
      const ids = { id, event_id: id, product_id: id }
      const notification = { ...ids, ...texts, sequence: '1', occurred_at: new Date().toISOString() }
      const rolledBack = new RolledBack()
      await transaction(pool, async (tx) => {
        await storeAll(tx, [notification], outgoing?.destinations ?? [])
        throw rolledBack
      }).catch((error: unknown) => {
        if (error !== rolledBack) throw error
      })
      return true
    },
  }
}

/** An event that is not new may be one that an earlier try stored, whose answer was lost: it has our id. */
function resultOf(
  { event, content }: Entry<NotifiableEvent>,
  delaySeconds: number | undefined,
  found: ReadonlyMap<string, Found>,
): Stored {
  if (delaySeconds !== undefined) return { kind: 'stored', delaySeconds }
  const known = found.get(event.id)
  if (known?.id === event.notification.id) return { kind: 'stored', delaySeconds: known.delay_seconds }
  return { kind: 'duplicate', differs: (known?.content_hash ?? content) !== content }
}

function tracesOf(entries: Entries, contextOf: StoreOptions['contextOf']): Map<string, TraceHeaders> {
  return new Map(
    entries.flatMap(({ message, event }) => {
      const context = contextOf(message)
      return context ? [[event.notification.id, traceHeaders(context)]] : []
    }),
  )
}
