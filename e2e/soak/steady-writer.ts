import { setTimeout as sleep } from 'node:timers/promises'
import { createProduct, deleteProduct } from '../api.ts'

/** Often enough that the writes are steady, seldom enough that a late timer does not matter. */
const TICK_MS = 50
/** Beyond this the API does not keep up, and more calls would only measure the client. */
const MOST_UNDER_WAY = 200

/** Creates products and deletes them again, `rate` changes a second in all, until `signal` aborts. */
export async function writeSteadily(url: string, rate: number, signal: AbortSignal): Promise<void> {
  const underWay = new Set<Promise<void>>()
  const living: string[] = []
  const started = performance.now()
  let written = 0

  async function change(): Promise<void> {
    const id = living.length > rate ? living.shift() : undefined
    if (id !== undefined) return deleteProduct(url, id)
    living.push((await createProduct(url, `Soak ${written}`)).id)
  }

  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - started) * rate) / 1000)
    while (written < due && underWay.size < MOST_UNDER_WAY) {
      const call = change().finally(() => underWay.delete(call))
      underWay.add(call)
      written++
    }
    await sleep(TICK_MS)
  }
  await Promise.all(underWay)
}
