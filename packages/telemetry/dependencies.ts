import { Gauge, type Registry } from '@prometheus-io/client'
import { sampled } from '@product-events/outages'

/** The dependencies that a service can't do its job without. */
export type Dependency = 'database' | 'queue'

/**
 * `dependency_up`: whether each of them does its job, as each check finds. A check may take its time, and may reject:
 * either means that it does not.
 */
export function measureDependencies(
  registry: Registry,
  checks: Partial<Record<Dependency, () => Promise<boolean>>>,
): void {
  const samples = Object.entries(checks).map(([dependency, check]) => ({ dependency, up: sampled(check, false) }))
  const gauge = new Gauge({
    name: 'dependency_up',
    help: 'Whether what the service depends on does its job: 1 or 0',
    labelNames: ['dependency'],
    registers: [],
    async collect() {
      await Promise.all(samples.map(async ({ dependency, up }) => this.set({ dependency }, (await up()) ? 1 : 0)))
    },
  })
  registry.registerMetric(gauge)
}
