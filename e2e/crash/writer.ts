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

  async function client(random: Random): Promise<void> {
    let url = random.pick(urls) ?? ''
    while (!signal.aborted) {
      const operation = await perform(next(random), url, onSurprise)
      operations.push(operation)
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
    const productId = random.pick(living.slice(-CHOICE))
    const chance = random.next()
    if (productId === undefined || chance < 0.3) return { type: 'product.created', label: name }
    const type = chance < 0.8 && updates ? 'product.updated' : 'product.deleted'
    return { type, label: name, productId }
  }

  await Promise.all(Array.from({ length: WRITERS }, (_, n) => client(random.fork(`client ${n}`))))
  return operations
}

const methods = { 'product.created': 'POST', 'product.updated': 'PATCH', 'product.deleted': 'DELETE' } as const

async function perform(
  change: Omit<Operation, 'outcome' | 'answer'>,
  url: string,
  onSurprise: (what: string) => void,
): Promise<Operation> {
  const { type, label, productId } = change
  const body = type === 'product.created' ? { name: label, price: 1.5 } : { name: label }
  const contentType = type === 'product.updated' ? 'application/merge-patch+json' : 'application/json'
  try {
    const response = await fetch(`${url}/products${productId ? `/${productId}` : ''}`, {
      method: methods[type],
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(type !== 'product.deleted' && { headers: { 'content-type': contentType }, body: JSON.stringify(body) }),
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
