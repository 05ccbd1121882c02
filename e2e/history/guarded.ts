import type { Acceptance, StoredProduct } from './history.ts'

/** A consumer that drops events whose sequence is not above the last one of their product. */
export function guardedConsumer(accepted: readonly Acceptance[]) {
  const last = new Map<string, number>()
  for (const { productId, sequence } of accepted)
    if (sequence > (last.get(productId) ?? 0)) last.set(productId, sequence)
  return {
    /** What it knows wrong of products that exist: a good event of theirs was dropped, or never came. */
    behind: (products: readonly StoredProduct[]): string[] =>
      products
        .filter(({ id, version }) => last.get(id) !== version)
        .map(({ id, version }) => `disordered: product ${id} has version ${version}, its consumer ${last.get(id)}`),
  }
}
