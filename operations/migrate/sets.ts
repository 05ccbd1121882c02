import { join } from 'node:path'
import type { MigrateOptions } from '@product-events/database'
import { outboxMigrations } from '@product-events/outbox'
import type { Service } from '../config.ts'
import { consoleMigrations } from '../console/migrations.ts'

type Sets = Pick<MigrateOptions, 'sets' | 'stranger'>

const folderOf = (service: Service) => join(import.meta.dirname, '../../services', service, 'migrations')
const tables = {
  'product-service': 'product_service_migrations',
  'notification-service': 'notification_service_migrations',
} as const satisfies Record<Service, string>

/** The migrations of a service, as the service itself runs them at its start; in its database, those of the console. */
export function setsOf(service: Service): Sets {
  const other = service === 'product-service' ? 'notification-service' : 'product-service'
  return {
    sets: [
      outboxMigrations,
      { dir: folderOf(service), table: tables[service] },
      ...(service === 'product-service' ? [consoleMigrations] : []),
    ],
    stranger: { name: other, table: tables[other], ownTable: tables[service] },
  }
}
