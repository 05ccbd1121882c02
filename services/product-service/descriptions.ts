import type { ServiceDescription } from '@product-events/process/service'
import { type Database, outboxMigrations } from '@product-events/outbox'
import { productMigrations } from './migrations.ts'
import { outbox, OWNER } from './outbox.ts'

/** PostgreSQL on few cores gets no faster with more connections; other requests wait in the process. */
const MAX_CONNECTIONS = 10

const shared = {
  maxConnections: MAX_CONNECTIONS,
  migrations: [outboxMigrations, productMigrations],
  claimOutbox: (db: Database) => outbox.claim(db, OWNER),
  stranger: { name: 'notification-service', table: 'notification_service_migrations' },
} as const

const relayPrivileges = {
  'public.events': ['SELECT', 'UPDATE', 'DELETE'],
  'public.outbox_relays': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  'public.outbox_lanes': ['SELECT', 'UPDATE'],
} as const

const apiPrivileges = {
  'public.products': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  // UPDATE: the rows to delete are locked first.
  'public.idempotency_keys': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
} as const

/** The API, with a relay in its process. */
export const apiWithRelay: ServiceDescription = {
  ...shared,
  name: 'product-service',
  privileges: { ...relayPrivileges, ...apiPrivileges, 'public.events': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  awaited: ['queue', 'api'],
}

/** The API with `OUTBOX_RELAY=off`. It needs no queue. */
export const apiAlone: ServiceDescription = {
  ...shared,
  name: 'product-service',
  privileges: { ...apiPrivileges, 'public.events': ['INSERT'] },
  awaited: ['api'],
}

export const relayAlone: ServiceDescription = {
  ...shared,
  name: 'relay',
  privileges: relayPrivileges,
  awaited: ['queue'],
}
