import type { StoredNotification } from './history.ts'

/**
 * Everything that a webhook endpoint, which accepts all that comes, did not get as promised: each notification at least
 * once, nothing that is none, and first receipts of one product in the order of the list. `received` has the event ids
 * in the order in which they came, those of earlier rounds too when `isOlder` says so.
 */
export function judgeDeliveries(
  notifications: readonly StoredNotification[],
  received: readonly string[],
  isOlder: (eventId: string) => boolean = () => false,
): string[] {
  const places = new Map(notifications.map(({ eventId }, place) => [eventId, place]))
  const first = [...new Set(received)].filter((eventId) => !isOlder(eventId))
  const strays = first.filter((eventId) => !places.has(eventId))
  const got = new Set(first)
  const missing = notifications.filter(({ eventId }) => !got.has(eventId))
  const known = first.flatMap((eventId) => notifications[places.get(eventId) ?? -1] ?? [])
  const disordered = [...Map.groupBy(known, ({ productId }) => productId)].filter(([, own]) =>
    own.some(({ eventId }, index) => index > 0 && places.get(own[index - 1]!.eventId)! > places.get(eventId)!),
  )
  return [
    ...missing.map(({ eventId }) => `the webhook never got the notification of event ${eventId}`),
    ...strays.map((eventId) => `the webhook got event ${eventId}, which has no notification`),
    ...disordered.map(([productId, own]) => {
      const order = own.map(({ sequence }) => sequence).join(', ')
      return `the webhook got the sequences ${order} of product ${productId}, in another order than the list`
    }),
  ]
}
