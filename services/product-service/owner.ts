/** Whose outbox it is: the same in every process that relays its events. */
export const OWNER = 'product-service'
