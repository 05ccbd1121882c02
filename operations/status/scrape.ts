import { type Metrics, parseExposition } from './exposition.ts'

export const serviceNames = ['product-service', 'notification-service'] as const
export type ServiceName = (typeof serviceNames)[number]

/** Where a process has its metrics and health. */
export interface Instance {
  service: ServiceName
  url: string
}

/** What a process said when it was asked. `at` is in milliseconds, for differences. */
export type Look = Instance & { at: number } & (
    { kind: 'silent'; reason: string } | { kind: 'answered'; metrics: Metrics; missing: Record<string, string> }
  )

/** A scrape waits for its gauges up to a second each, a few at a time. A process that takes longer does not answer. */
export const PATIENCE_MS = 5_000

/**
 * Asks a process for its metrics and its readiness. Never rejects, and is silent at once when `signal` aborts, or after
 * `patienceMs`.
 */
export async function scrape(
  { service, url }: Instance,
  signal: AbortSignal,
  patienceMs: number = PATIENCE_MS,
): Promise<Look> {
  try {
    const enough = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
    const [metrics, health] = await Promise.all([ask(`${url}/metrics`, enough), ask(`${url}/health/ready`, enough)])
    if (!metrics.ok) throw new Error(`/metrics answers ${metrics.status}`)
    if (!health.ok && health.status !== 503) throw new Error(`/health/ready answers ${health.status}`)
    const { missing = {} } = JSON.parse(health.text) as { missing?: Record<string, string> }
    return { service, url, at: performance.now(), kind: 'answered', metrics: parseExposition(metrics.text), missing }
  } catch (error) {
    return { service, url, at: performance.now(), kind: 'silent', reason: reasonOf(error as Error, patienceMs) }
  }
}

async function ask(url: string, signal: AbortSignal): Promise<{ ok: boolean; status: number; text: string }> {
  const response = await fetch(url, { signal })
  return { ok: response.ok, status: response.status, text: await response.text() }
}

/** fetch says "fetch failed", and why one level below; that may have no message but a code. */
function reasonOf(error: Error, patienceMs: number): string {
  if (error.name === 'TimeoutError') return `nothing within ${patienceMs / 1000} s`
  const cause = error.cause as (Error & { code?: string }) | undefined
  return cause?.code ?? cause?.message ?? error.message
}
