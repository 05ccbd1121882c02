import type { Service } from '../config.ts'

type Tables = Record<string, readonly string[]>

/** The tables of an outbox, as its relay uses them. */
const relay: Tables = {
  'SELECT, UPDATE, DELETE': ['public.events'],
  'SELECT, INSERT, UPDATE, DELETE': ['public.outbox_relays'],
  'SELECT, UPDATE': ['public.outbox_lanes'],
  SELECT: ['public.outbox_migrations'],
}

/** Console and commands: they read all of it, and set events to pending. */
const operator: Tables = {
  'SELECT, UPDATE': ['public.events'],
  SELECT: ['public.outbox_relays', 'public.outbox_lanes', 'public.outbox_migrations'],
}

/** The privileges that each role needs at run time, by database. The owner of the tables migrates them. */
export const grants: Record<Service, Record<string, Tables>> = {
  'product-service': {
    product_service: {
      'SELECT, INSERT, UPDATE, DELETE': [
        'public.products',
        'public.idempotency_keys',
        'public.events',
        'public.outbox_relays',
      ],
      'SELECT, UPDATE': ['public.outbox_lanes'],
      SELECT: ['public.outbox_migrations', 'public.product_service_migrations'],
    },
    product_relay: { ...relay, SELECT: ['public.outbox_migrations', 'public.product_service_migrations'] },
    console: {
      ...operator,
      'SELECT, INSERT, UPDATE': ['console.actions'],
      SELECT: operator['SELECT'] ?? [],
    },
  },
  'notification-service': {
    notification_service: {
      'SELECT, INSERT, UPDATE, DELETE': ['public.failed_messages', 'public.events', 'public.outbox_relays'],
      'SELECT, INSERT, DELETE': ['public.notifications'],
      'SELECT, INSERT': ['public.disabled_endpoints'],
      'SELECT, UPDATE': ['public.outbox_lanes'],
      SELECT: ['public.outbox_migrations', 'public.notification_service_migrations'],
    },
    console: {
      ...operator,
      SELECT: [
        ...(operator['SELECT'] ?? []),
        'public.notifications',
        'public.failed_messages',
        'public.disabled_endpoints',
      ],
    },
  },
}

/** SQL that gives each role of the service's database what it needs and nothing else. Run it as the tables' owner. */
export function grantsOf(service: Service): string {
  return Object.entries(grants[service])
    .flatMap(([role, tables]) => grantsTo(role, tables))
    .join('\n')
}

function grantsTo(role: string, tables: Tables): string[] {
  const schemas = new Set(Object.values(tables).flatMap((names) => names.map((name) => name.split('.')[0])))
  return [
    `-- ${role}: with MIGRATE=off, or once nothing is due`,
    `GRANT USAGE ON SCHEMA ${[...schemas].join(', ')} TO ${role};`,
    ...Object.entries(tables).map(([privileges, names]) => `GRANT ${privileges} ON ${names.join(', ')} TO ${role};`),
  ]
}
