import type { Acceptance, StoredProduct } from './history.ts'

/**
 * What a consumer that drops events whose sequence is not above the last one of their product knows wrong of
 * `products`, all of which exist: a good event was dropped, or never came.
 */
export function wrongWhenGuarded(accepted: readonly Acceptance[], products: readonly StoredProduct[]): string[] {
  const last = new Map<string, number>()
  for (const { productId, sequence } of accepted)
    if (sequence > (last.get(productId) ?? 0)) last.set(productId, sequence)
  return products
    .filter(({ id, version }) => last.get(id) !== version)
    .map(({ id, version }) => `disordered: product ${id} has version ${version}, its consumer ${last.get(id)}`)
}
