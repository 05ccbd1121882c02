/** The pictures of README and docs: their files in `docs/pictures/`, and their text for readers who can't see them. */
export const pictures = {
  'requests.png': 'test_api.sh: requests to product-service and their answers',
  'counters.png': 'the counters of created and deleted products',
  'product-service-log.png': 'the log lines of one request in product-service',
  'notification-service-log.png': 'the events that notification-service logged',
  'api-page.png': 'the page that describes the API',
  'console-find.png': 'Find: the way of an event with its times, and the events of its product',
  'console-needs.png': 'Needs you: a dead event with its reason, and what a redrive would do',
} as const

export type Picture = keyof typeof pictures
export const FOLDER = 'docs/pictures'
/** A page should be there at once; at two pixels for each of a screen a terminal has this much. */
export const MAX_BYTES = 300 * 1024

/** The moving picture, for light and for dark pages; a browser loads one of them. */
export const films = ['outage-dark.webp', 'outage-light.webp'] as const
export const MAX_FILM_BYTES = 1_500_000
