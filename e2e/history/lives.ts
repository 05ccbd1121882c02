import fc from 'fast-check'
import type { History } from './history.ts'

/** What becomes of one product, one change after the other. */
export interface Life {
  changes: { outcome: 'ok' | 'unknown'; dead: boolean; resent: boolean }[]
  deleted: boolean
  /** Calls that were answered with "no", or of which nothing came. */
  withoutEffect: ('failed' | 'unknown')[]
}

export const lives: fc.Arbitrary<Life[]> = fc.array(
  fc.record({
    changes: fc.array(
      fc.record({
        outcome: fc.constantFrom('ok' as const, 'unknown' as const),
        dead: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
        resent: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    deleted: fc.boolean(),
    withoutEffect: fc.array(fc.constantFrom('failed' as const, 'unknown' as const), { maxLength: 2 }),
  }),
  { minLength: 1, maxLength: 5 },
)

/** The history that these lives leave when every promise is kept. */
export function historyOf(all: Life[]): History {
  const history: History = { operations: [], products: [], events: [], accepted: [], notifications: [] }
  all.forEach((life, product) => addLife(history, `product-${product}`, life))
  history.notifications.reverse() // a standard queue delivers in any order
  return history
}

function addLife(history: History, productId: string, { changes, deleted, withoutEffect }: Life): void {
  const { operations, events, accepted, notifications } = history
  changes.forEach(({ outcome, dead, resent }, index) => {
    const sequence = index + 1
    const last = deleted && sequence === changes.length && sequence > 1
    const type = sequence === 1 ? 'product.created' : last ? 'product.deleted' : 'product.updated'
    const label = `${productId}-${sequence}`
    const eventId = `event-${label}`
    const known = outcome === 'ok' || sequence > 1
    operations.push({
      type,
      label,
      outcome,
      answer: '',
      ...(known && { productId }),
      ...(outcome === 'ok' && !last && { version: sequence }),
    })
    const shown = last ? `${productId}-${sequence - 1}` : label
    const status = dead ? 'dead' : 'processed'
    events.push({ id: String(events.length + 9), eventId, productId, type, sequence, label: shown, status })
    if (dead) return
    accepted.push({ eventId, productId, sequence })
    if (resent) accepted.push(accepted.find((acceptance) => acceptance.productId === productId)!)
    notifications.push({ eventId, productId, type, sequence })
  })
  withoutEffect.forEach((outcome, index) =>
    operations.push({ type: 'product.updated', label: `${productId}-no-${index}`, productId, outcome, answer: '' }),
  )
  const version = events.at(-1)?.type === 'product.deleted' ? 0 : changes.length
  if (version > 0) history.products.push({ id: productId, version })
}
