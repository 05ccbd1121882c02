import type { Envelope, Product, ProductEvent, ProductEventType } from '@product-events/contracts'

export interface Wording {
  title: string
  message: string
}

/** The words of a notification. The only place with words for each event type. */
export function wordingOf(event: ProductEvent): Wording {
  return wordings[event.type](event.data)
}

const wordings: Record<ProductEventType, (product: Product) => Wording> = {
  'product.created': ({ name, price }) => ({
    title: 'Product created',
    message: `"${name}" was created at ${money(price)}`,
  }),
  'product.updated': ({ name, price }) => ({
    title: 'Product updated',
    message: `"${name}" was updated and is now at ${money(price)}`,
  }),
  'product.deleted': ({ name }) => ({ title: 'Product deleted', message: `"${name}" was deleted` }),
}

/** For an event of a type or a shape that this version does not know; `reason` as `parseBody` gives it. */
export function wordingOfUnknown(envelope: Envelope, reason: string): Wording {
  return {
    title: 'Unknown event',
    message: `Something happened to this product that this version can't tell: ${envelope.type} (${reason})`,
  }
}

/** Two decimals, as prices are written; there is no currency in the event. */
function money(price: number): string {
  return price.toFixed(2)
}
