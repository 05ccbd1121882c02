import type { Service } from '../config.ts'

/** The tables of an outbox, as its relay uses them. */
const relay = {
  'SELECT, UPDATE, DELETE': ['events'],
  'SELECT, INSERT, UPDATE, DELETE': ['outbox_relays'],
  'SELECT, UPDATE': ['outbox_lanes'],
  SELECT: ['outbox_migrations'],
}

/** The privileges that each role needs at run time, by database. The owner of the tables migrates them. */
const rights: Record<Service, Record<string, Record<string, string[]>>> = {
  'product-service': {
    product_service: {
      'SELECT, INSERT, UPDATE, DELETE': ['products', 'idempotency_keys', 'events', 'outbox_relays'],
      'SELECT, UPDATE': ['outbox_lanes'],
      SELECT: ['outbox_migrations', 'product_service_migrations'],
    },
    relay: { ...relay, SELECT: [...relay.SELECT, 'product_service_migrations'] },
  },
  'notification-service': {
    notification_service: {
      'SELECT, INSERT, UPDATE, DELETE': [
        'notifications',
        'failed_messages',
        'disabled_endpoints',
        'events',
        'outbox_relays',
      ],
      'SELECT, UPDATE': ['outbox_lanes'],
      SELECT: ['outbox_migrations', 'notification_service_migrations'],
    },
  },
}

/** SQL that gives each role of the service's database what it needs and nothing else. Run it as the tables' owner. */
export function grantsOf(service: Service): string {
  return Object.entries(rights[service])
    .flatMap(([role, privileges]) => [
      `-- ${role}: with MIGRATE=off, or once nothing is due`,
      `GRANT USAGE ON SCHEMA public TO ${role};`,
      ...Object.entries(privileges).map(
        ([names, tables]) => `GRANT ${names} ON ${tables.map((table) => `public.${table}`).join(', ')} TO ${role};`,
      ),
    ])
    .join('\n')
}
