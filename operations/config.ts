import { readConfig, secretUrl } from 'configuration'
import { withDatabaseName } from 'database'

/** The services with an outbox, and the database of each where DATABASE_URL names none. */
const databases = { 'product-service': 'products', 'notification-service': 'notifications' } as const

export type Service = keyof typeof databases
export const services = Object.keys(databases) as Service[]

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
