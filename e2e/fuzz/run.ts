import { fuzz } from './http/run.ts'
import { fuzzQueue } from './queue/run.ts'
import { fuzzReceivers, type Receivers } from './receivers/run.ts'
import type { Surface, SurfaceOptions, SurfaceResult } from './surface.ts'
import { fuzzWriters } from './writers/run.ts'

/** Of all steps: a request takes a millisecond or two, a row or a receiver a good part of a second. */
export const shareOf: Record<Surface, number> = { http: 0.8, queue: 0.16, writers: 0.03, receivers: 0.01 }

type Run = (receivers: Receivers, options: SurfaceOptions) => Promise<SurfaceResult>

export const runSurfaces: Record<Surface, Run> = {
  http: (_, options) => fuzzHttp(options),
  queue: (_, options) => fuzzQueue(options),
  writers: (_, options) => fuzzWriters(options),
  receivers: fuzzReceivers,
}

async function fuzzHttp({ target, steps, seed, onProgress }: SurfaceOptions): Promise<SurfaceResult> {
  const slow: string[] = []
  const { sent, counts, violations } = await fuzz({
    url: target.products.url,
    pool: target.productsDb,
    requests: steps,
    seed,
    async onRound(sent) {
      const fault = await target.pulse.fault(() => Promise.resolve())
      if (fault) slow.push(`after ${sent} requests: ${fault}`)
      await onProgress(sent)
    },
  })
  return { steps: sent, counts, violations: [...violations, ...slow] }
}

/** What came of a surface, for people. */
export function tellSurface(surface: Surface, { steps, counts, violations }: SurfaceResult): string {
  const lines = Object.entries(counts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, count]) => `  ${what.padEnd(24)} ${count}`)
  return [`${surface}: ${steps} steps, ${violations.length} violations`, ...lines].join('\n')
}
