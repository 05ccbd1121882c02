import { join } from 'node:path'
import type { MigrateOptions } from '@product-events/database'
import { outboxMigrations } from '@product-events/outbox'
import type { Service } from '../config.ts'

type Sets = Pick<MigrateOptions, 'sets' | 'stranger'>

const folderOf = (service: Service) => join(import.meta.dirname, '../../services', service, 'migrations')
const tables = {
  'product-service': 'product_service_migrations',
  'notification-service': 'notification_service_migrations',
} as const satisfies Record<Service, string>

/** The migrations of a service, as the service itself runs them at its start. */
export function setsOf(service: Service): Sets {
  const other = service === 'product-service' ? 'notification-service' : 'product-service'
  return {
    sets: [outboxMigrations, { dir: folderOf(service), table: tables[service] }],
    stranger: { name: other, table: tables[other], ownTable: tables[service] },
  }
}
