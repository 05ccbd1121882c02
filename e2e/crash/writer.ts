import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Operation } from '../history/history.ts'
import type { Random } from './random.ts'

/** Clients at once: enough that some product is always being changed by two of them. */
const WRITERS = 8
/** An API that is frozen answers nothing; its client gives up long before it wakes. */
const TIMEOUT_MS = 4_000
/** Changes go to the youngest so many products, so that each sees several changes close to each other. */
const CHOICE = 40
/** Of the changes, as many go to the one product that is changed most. */
const HOT = 0.25
/** Of the changes, as many demand the version that their client saw last. */
const DEMANDING = 0.3
/** Of the creations, as many bear an `Idempotency-Key`, and are made again under it while their fate is unknown. */
const KEYED = 0.5
const MOST_TRIES = 8
/** The mean pause of one client between two calls: some hundred changes a second leave the machine room to breathe. */
const PAUSE_MS = 40

export interface WriterOptions {
  urls: string[]
  random: Random
  /** Begins the name of every product. */
  label: string
  /** Whether the API knows PATCH. */
  updates: boolean
  /** Told of an answer that no client must ever get. */
  onSurprise: (what: string) => void
}

/** Creates, changes and deletes products at random until `signal` aborts, and resolves with every call it made. */
export async function write({ urls, random, label, updates, onSurprise }: WriterOptions, signal: AbortSignal) {
  const operations: Operation[] = []
  const living: string[] = []
  /** The version of each product that some client saw last. */
  const versions = new Map<string, number>()

  async function client(random: Random): Promise<void> {
    let url = random.pick(urls) ?? ''
    while (!signal.aborted) {
      const change = next(random)
      const operation = await untilKnown(change, () => perform(change, url, onSurprise), {
        again: change.tries !== undefined,
        signal,
        elsewhere: () => void (url = random.pick(urls) ?? url),
        onSurprise,
      })
      operations.push(operation)
      if (operation.productId && operation.version) versions.set(operation.productId, operation.version)
      // As a load balancer would: not to one that is down as long as there is another.
      if (operation.outcome !== 'ok' || random.chance(0.1)) url = random.pick(urls) ?? url
      const { productId, type, outcome } = operation
      if (outcome === 'ok' && type === 'product.created' && productId) living.push(productId)
      // Also when its fate is unknown, most of the time: the others get a 404, or wonder.
      if (type === 'product.deleted' && outcome !== 'failed' && productId) remove(living, productId)
      await sleep(random.between(0, 2 * PAUSE_MS), undefined, { signal }).catch(() => {})
    }
  }

  function next(random: Random): Omit<Operation, 'outcome' | 'answer'> {
    const name = `${label}-${operations.length}-${randomUUID().slice(0, 8)}`
    const hot = updates && random.chance(HOT) ? living[0] : undefined
    const productId = hot ?? random.pick(living.slice(-CHOICE))
    const chance = random.next()
    if (productId === undefined || (hot === undefined && chance < 0.3))
      return { type: 'product.created', label: name, ...(random.chance(KEYED) && { tries: 1 }) }
    const type = hot !== undefined || (chance < 0.8 && updates) ? 'product.updated' : 'product.deleted'
    const from = random.chance(DEMANDING) ? versions.get(productId) : undefined
    return { type, label: name, productId, ...(from !== undefined && { from }) }
  }

  await Promise.all(Array.from({ length: WRITERS }, (_, n) => client(random.fork(`client ${n}`))))
  return operations
}

interface Again {
  again: boolean
  signal: AbortSignal
  elsewhere: () => void
  onSurprise: (what: string) => void
}

/**
 * Makes a call under an `Idempotency-Key` again while nothing is known of it: every answer must be of the same product.
 */
async function untilKnown(
  change: Omit<Operation, 'outcome' | 'answer'>,
  call: () => Promise<Operation>,
  { again, signal, elsewhere, onSurprise }: Again,
): Promise<Operation> {
  let operation = await call()
  let lost = operation.outcome === 'unknown'
  for (let tries = 1; again && tries < MOST_TRIES && !signal.aborted; tries++) {
    // 409: the first call is still at work, somewhere.
    if (operation.outcome === 'ok' || (operation.outcome === 'failed' && operation.answer !== '409')) break
    elsewhere()
    await sleep(100 * tries, undefined, { signal }).catch(() => {})
    operation = { ...(await call()), tries: tries + 1 }
    lost ||= operation.outcome === 'unknown'
  }
  if (operation.answer === '422') onSurprise(`${change.type} (${change.label}) was answered with 422 under its own key`)
  // A refusal of the last call says nothing of one before it whose answer was lost.
  return lost && operation.outcome === 'failed' ? { ...operation, outcome: 'unknown' } : operation
}

const methods = { 'product.created': 'POST', 'product.updated': 'PATCH', 'product.deleted': 'DELETE' } as const

async function perform(
  change: Omit<Operation, 'outcome' | 'answer'>,
  url: string,
  onSurprise: (what: string) => void,
): Promise<Operation> {
  const { type, label, productId, from, tries } = change
  const body = type === 'product.created' ? { name: label, price: 1.5 } : { name: label }
  const contentType = type === 'product.updated' ? 'application/merge-patch+json' : 'application/json'
  try {
    const response = await fetch(`${url}/products${productId ? `/${productId}` : ''}`, {
      method: methods[type],
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(type !== 'product.deleted' && { 'content-type': contentType }),
        ...(from !== undefined && { 'if-match': `"${from}"` }),
        ...(tries !== undefined && { 'idempotency-key': label }),
      },
      ...(type !== 'product.deleted' && { body: JSON.stringify(body) }),
    })
    const answer = String(response.status)
    const text = await response.text()
    if (response.ok) {
      const product = (text === '' ? {} : JSON.parse(text)) as { id?: string; version?: number }
      const id = product.id ?? productId
      return { ...change, outcome: 'ok', answer, ...(id && { productId: id }), ...versionOf(product) }
    }
    if (response.status >= 500 && response.status !== 503) onSurprise(`${type} was answered with ${answer}: ${text}`)
    return { ...change, outcome: response.status < 500 ? 'failed' : 'unknown', answer }
  } catch (error) {
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    // Nobody heard a word of it. Any other error leaves open how far it got.
    return { ...change, outcome: code === 'ECONNREFUSED' ? 'failed' : 'unknown', answer: code ?? message }
  }
}

function versionOf({ version }: { version?: number }): { version?: number } {
  return version === undefined ? {} : { version }
}

function remove(items: string[], item: string): void {
  const index = items.indexOf(item)
  if (index >= 0) items.splice(index, 1)
}

/** Whether this API changes products: one that does not answers 405. */
export async function knowsUpdates(url: string): Promise<boolean> {
  const headers = { 'content-type': 'application/merge-patch+json' }
  const response = await fetch(`${url}/products/${randomUUID()}`, { method: 'PATCH', headers, body: '{}' })
  await response.body?.cancel()
  return response.status !== 405
}
