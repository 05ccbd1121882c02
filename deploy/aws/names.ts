/** Ports, names and numbers that the code of the services fixes. A test compares each with that code. */
export const ports = {
  'product-service': { http: 8080, operations: 8082 },
  'notification-service': { http: 8081, operations: 8083 },
  relay: { operations: 8082 },
  console: { http: 8084 },
} as const

export type Program = keyof typeof ports

export const health = { started: '/health/started', live: '/health/live' } as const

export const databases = { products: 'products', notifications: 'notifications' } as const

/** PostgreSQL users: RDS makes the master user, which makes an owner for migrations and one for each program. */
export const databaseUsers = {
  master: 'postgres',
  productsOwner: 'products_owner',
  notificationsOwner: 'notifications_owner',
  'product-service': 'product_service',
  relay: 'product_relay',
  'notification-service': 'notification_service',
  console: 'console',
} as const

export type DatabaseUser = (typeof databaseUsers)[keyof typeof databaseUsers]

/** The queues as the services would make them themselves. */
export const queueNumbers = {
  maxReceiveCount: 5,
  retentionSeconds: 14 * 24 * 3600,
  visibilityTimeoutSeconds: 30,
} as const

export function deadLetterQueueName(name: string): string {
  return name.endsWith('.fifo') ? name.replace(/\.fifo$/, '-dlq.fifo') : `${name}-dlq`
}

/** Where each process is found inside the network: <program>.product-events.internal. */
export const NAMESPACE = 'product-events.internal'
