import fc from 'fast-check'
import { createProduct } from '../../api.ts'
import { count, type SurfaceOptions, type SurfaceResult, until } from '../surface.ts'
import { behaviours, type startHostileReceiver } from './hostile-receiver.ts'

/** The well-behaved endpoint gets each delivery within this, whatever the other one does. */
const SENTINEL_MS = 15_000
const SENTINEL_EVERY = 5

export interface Receivers {
  hostile: Awaited<ReturnType<typeof startHostileReceiver>>
  /** Bodies that the well-behaved endpoint got. */
  received: string[]
}

/** One endpoint answers anything and nothing: the other one, and the next request, must not notice. */
export async function fuzzReceivers(
  { hostile, received }: Receivers,
  { target, steps, seed, onProgress }: SurfaceOptions,
): Promise<SurfaceResult> {
  const result: SurfaceResult = { steps: 0, counts: {}, violations: [] }
  while (result.steps < steps && result.violations.length === 0) {
    const [behaviour] = fc.sample(behaviours, { numRuns: 1, seed: seed + result.steps })
    hostile.become(behaviour!)
    let product = await createProduct(target.products.url, 'Webhook tea')
    const step = async () => void (product = await createProduct(target.products.url, 'Webhook tea'))
    result.steps++
    count(result.counts, `ends by ${behaviour!.end}`)
    const after = `after a receiver that did ${JSON.stringify(behaviour).slice(0, 300)}`
    const slow = await target.pulse.fault(step)
    if (slow) result.violations.push(`${after}: ${slow}`)
    if (result.steps % SENTINEL_EVERY > 0) continue
    const arrived = () => Promise.resolve(received.some((body) => body.includes(product.id)) || undefined)
    if (!(await until(arrived, SENTINEL_MS)))
      result.violations.push(`the other endpoint got nothing within ${SENTINEL_MS} ms, ${after}`)
    await onProgress(result.steps)
  }
  count(result.counts, 'connections', hostile.connections())
  return result
}
