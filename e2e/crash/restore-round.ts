import { setTimeout as sleep } from 'node:timers/promises'
import { checkHistory } from '../history/check.ts'
import { wrongWhenGuarded } from '../history/guarded.ts'
import type { History, Operation } from '../history/history.ts'
import type { CrashStack } from './crash-stack.ts'
import { copyState } from './earlier-state.ts'
import { createRandom } from './random.ts'
import { type Ears, drain } from './round.ts'
import { acceptance, readEvents, readNotifications, readProducts } from './witnesses.ts'
import { write } from './writer.ts'

/** Traffic before the copy, between copy and restore, and after. */
const TRAFFIC_MS = 2_000

export interface RestoreResult {
  /** Empty when it passed. */
  wrong: string[]
  /** Acknowledged changes before the copy and between it and the restore, and after the restore. */
  before: number
  after: number
  /** Events that the restored database had, with those of the raised versions. */
  restored: number
}

/**
 * Sets both databases back to an earlier state under traffic, does what docs/operations.md says, and judges what
 * follows.
 */
export async function runRestore(stack: CrashStack, ears: Ears, seed: number): Promise<RestoreResult> {
  ears.accepted.length = ears.surprises.length = 0
  const random = createRandom(seed)
  const onSurprise = (what: string) => void ears.surprises.push(what)
  const traffic = (label: string, signal: AbortSignal) =>
    write({ urls: stack.urls, random: random.fork(label), label, updates: true, onSurprise }, signal)

  const stop = new AbortController()
  const older = traffic(`restored ${seed}`, stop.signal)
  await sleep(TRAFFIC_MS)
  const earlier = await copyState(stack)
  await sleep(TRAFFIC_MS)
  await earlier.restore()
  stop.abort()
  const before = await older

  const label = `after restore ${seed}`
  const ended = AbortSignal.timeout(TRAFFIC_MS)
  const [operations] = await Promise.all([traffic(label, ended), changeRestored(stack, `restored ${seed}`)])
  const drained = await drain(stack)
  const { products, notifications } = stack.direct
  const events = await readEvents(products, '0')
  const accepted = ears.accepted.map(acceptance)
  const notified = await readNotifications(notifications, '0')
  const wrong = [...ears.surprises, ...(drained ? [] : ['not drained'])]

  const fresh = await readProducts(products, label)
  const known = new Set([...fresh.map(({ id }) => id), ...operations.map(({ productId }) => productId ?? '')])
  const ofFresh = <Item extends { productId: string }>(items: Item[]) =>
    items.filter(({ productId }) => known.has(productId))
  const history: History = {
    operations,
    products: fresh,
    events: ofFresh(events),
    accepted: ofFresh(accepted),
    notifications: ofFresh(notified),
  }
  wrong.push(...checkHistory(history).map(({ kind, what }) => `${kind}: ${what}`))
  const told = new Set(notified.map(({ eventId }) => eventId))
  const missing = events.filter(({ eventId, status }) => status !== 'dead' && !told.has(eventId))
  wrong.push(...missing.map(({ eventId }) => `lost: event ${eventId} of the restored database was not notified`))
  const all = [...fresh, ...(await readProducts(products, `restored ${seed}`))]
  wrong.push(...wrongWhenGuarded(accepted, all))
  return { wrong, before: done(before), after: done(operations), restored: events.length - history.events.length }
}

/** Changes products of the restored state: a consumer that guards by sequence must take these changes. */
async function changeRestored({ direct, urls }: CrashStack, label: string): Promise<void> {
  const { rows } = await direct.products.query<{ id: string }>(
    'SELECT id FROM products WHERE starts_with(name, $1) LIMIT 20',
    [label],
  )
  await Promise.all(
    rows.map(async ({ id }) => {
      const headers = { 'content-type': 'application/merge-patch+json' }
      const change = () => fetch(`${urls[0]}/products/${id}`, { method: 'PATCH', headers, body: '{"price":3}' })
      while (((await change().catch(() => undefined))?.status ?? 503) === 503) await sleep(100)
    }),
  )
}

const done = (operations: Operation[]) => operations.filter(({ outcome }) => outcome === 'ok').length
