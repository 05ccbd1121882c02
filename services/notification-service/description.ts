import { outboxMigrations } from '@product-events/outbox'
import type { ServiceDescription } from '@product-events/process/service'
import { outbox, OWNER } from './channels/outbox.ts'
import { notificationMigrations } from './migrations.ts'

/** One for the inbox, one for the sweep, and the rest for the HTTP API. */
const MAX_CONNECTIONS = 10

export const notificationService: ServiceDescription = {
  name: 'notification-service',
  maxConnections: MAX_CONNECTIONS,
  migrations: [outboxMigrations, notificationMigrations],
  claimOutbox: (db) => outbox.claim(db, OWNER),
  stranger: { name: 'product-service', table: 'product_service_migrations' },
  privileges: {
    'public.notifications': ['SELECT', 'INSERT', 'DELETE'],
    'public.failed_messages': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'public.events': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'public.outbox_relays': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    'public.outbox_lanes': ['SELECT', 'UPDATE'],
  },
  awaited: ['queue', 'api'],
}
