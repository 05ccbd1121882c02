import { setTimeout as sleep } from 'node:timers/promises'

/** Clients at once; each makes a call, waits for its answer, and pauses. */
const CLIENTS = 8
const PAUSE_MS = 40

export interface Traffic {
  calls: number
  /** Calls that a client would call failed, with what it saw: any answer but a success, or none. */
  failed: string[]
  /** How many changes were acknowledged. */
  changes: number
}

export interface Addresses {
  products: string
  notifications: string
}

/**
 * Steady writes and reads by both APIs until `signal` aborts; then `ended` resolves. Each client changes products of
 * its own, so nothing may fail.
 */
export function startTraffic(
  { products, notifications }: Addresses,
  signal: AbortSignal,
): { traffic: Traffic; ended: Promise<unknown> } {
  const traffic: Traffic = { calls: 0, failed: [], changes: 0 }

  async function call(method: string, url: string, body?: object): Promise<string> {
    traffic.calls++
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    try {
      const response = await fetch(url, {
        method,
        signal: AbortSignal.timeout(15_000),
        ...(body && { headers: { 'content-type': type }, body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok)
        traffic.failed.push(`${method} ${new URL(url).pathname}: ${response.status} ${text.slice(0, 200)}`)
      else if (method !== 'GET') traffic.changes++
      return text
    } catch (error) {
      traffic.failed.push(`${method} ${new URL(url).pathname}: ${(error as Error).message}`)
      return ''
    }
  }

  async function client(number: number): Promise<void> {
    for (let round = 0; !signal.aborted; round++) {
      const created = await call('POST', `${products}/products`, { name: `Rolling ${number} ${round}`, price: 1 })
      const { id } = (created === '' ? {} : JSON.parse(created)) as { id?: string }
      if (id !== undefined) {
        await call('PATCH', `${products}/products/${id}`, { price: 2 })
        await call('GET', `${products}/products/${id}`)
        await call('GET', `${products}/products?limit=5`)
        await call('GET', `${notifications}/notifications?limit=5`)
        if (round % 2 === 0) await call('DELETE', `${products}/products/${id}`)
      }
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => {})
    }
  }

  return { traffic, ended: Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number))) }
}
