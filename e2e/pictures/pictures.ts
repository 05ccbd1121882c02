/** The README's pictures: their files in `docs/pictures/`, and what whoever can't see them reads. */
export const pictures = {
  'requests.png': 'test_api.sh: requests to product-service and their answers',
  'counters.png': 'the counters of created and deleted products',
  'product-service-log.png': 'the log lines of one request in product-service',
  'notification-service-log.png': 'the events that notification-service logged',
  'api-page.png': 'the page that describes the API',
} as const

export type Picture = keyof typeof pictures
export const FOLDER = 'docs/pictures'
/** A README should be there at once. */
export const MAX_BYTES = 100 * 1024
