import { type Kind, readConfig, secretUrl, text } from '@product-events/process'
import { withDatabaseName } from '@product-events/database'

/** The services with an outbox, and the database of each where DATABASE_URL names none. */
const databases = { 'product-service': 'products', 'notification-service': 'notifications' } as const

export type Service = keyof typeof databases
export const services = ['product-service', 'notification-service'] as const satisfies Service[]

/** The database of each service, as the service itself finds it. Throws a `StartError` that names what is wrong. */
export function readOperationsConfig(env: NodeJS.ProcessEnv): Record<Service, string> {
  const { DATABASE_URL } = readConfig(env, {
    DATABASE_URL: secretUrl(
      ['postgres', 'postgresql'],
      'postgres://postgres@127.0.0.1:5432, which is that of npm start',
    ),
  })
  const urls = services.map((service) => [service, withDatabaseName(DATABASE_URL, databases[service])])
  return Object.fromEntries(urls) as Record<Service, string>
}

/** Where metrics and health of each service are, one URL for each of its processes, and what the terminal can do. */
export interface StatusConfig {
  urls: Record<Service, string[]>
  /** Not with NO_COLOR (https://no-color.org), nor in a terminal that is dumb. */
  colours: boolean
  /** Whether the terminal can be drawn on again. */
  redraws: boolean
}

/** Reads the environment of `npm run status`. Throws a `StartError` that names what is wrong. */
export function readStatusConfig(env: NodeJS.ProcessEnv): StatusConfig {
  const config = readConfig(env, {
    PRODUCT_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8082']),
    NOTIFICATION_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8083']),
    NO_COLOR: text('anything', ''),
    TERM: text('the kind of terminal', ''),
  })
  return {
    urls: {
      'product-service': config.PRODUCT_SERVICE_OPERATIONS_URL,
      'notification-service': config.NOTIFICATION_SERVICE_OPERATIONS_URL,
    },
    colours: config.NO_COLOR === '' && config.TERM !== 'dumb',
    redraws: config.TERM !== 'dumb',
  }
}

export const OPERATIONS_URLS = 'http://host:port, or several of those with commas between'

/** The URLs, without a slash at their ends; undefined when one is none, or has a password that would be shown. */
export function parseOperationsUrls(text: string): string[] | undefined {
  const urls = text.split(',').map((url) => url.trim().replace(/\/+$/, ''))
  return urls.every(isPlainUrl) ? urls : undefined
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && username + password === ''
}

export function operationsUrls(fallback: string[]): Kind<string[]> {
  return { expected: OPERATIONS_URLS, parse: parseOperationsUrls, secret: true, fallback: { value: fallback } }
}
