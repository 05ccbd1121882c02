import { Counter, type Registry } from '@product-events/telemetry'

export interface Metrics {
  created: Counter
  updated: Counter
  deleted: Counter
}

/** Metrics of this service alone: changes of products, each once its transaction is committed. */
export function createMetrics(registry: Registry): Metrics {
  const counter = (name: string, help: string) => new Counter({ name, help, registers: [registry] })
  return {
    created: counter('products_created_total', 'Products that were created'),
    updated: counter('products_updated_total', 'Changes of products'),
    deleted: counter('products_deleted_total', 'Products that were deleted'),
  }
}
