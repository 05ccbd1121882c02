import { collectDefaultMetrics, Registry } from '@prometheus-io/client'

export { Counter, Gauge, Histogram, Registry } from '@prometheus-io/client'

/** A registry that already holds the defaults of the process (CPU, memory, event loop, garbage collection). */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
