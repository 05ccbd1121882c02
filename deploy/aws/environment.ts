import { type DatabaseUser, databaseUsers, databases, NAMESPACE, ports, type Program } from './names.ts'
import type { Settings } from './settings.ts'

/** What the variables of a task are made from, as CloudFormation fills it in. */
export interface Addresses {
  region: string
  databaseHost: string
  queueUrl: string
  balancerArn: string
}

/** The certificates of RDS, in the image (`deploy/build.ts`). `verify-full` also compares the name of the host. */
const TLS = 'sslmode=verify-full&sslrootcert=/service/rds.pem'

export function databaseUrl(host: string, user: DatabaseUser, database: keyof typeof databases): string {
  return `postgres://${user}@${host}:5432/${databases[database]}?${TLS}`
}

/** The variables of a program's task, each of which the program's `config.ts` reads. */
export function environmentOf(program: Program, settings: Settings, addresses: Addresses): Record<string, string> {
  const tokens = {
    AUTH_JWKS_URL: settings.tokens.jwksUrl,
    AUTH_ISSUER: settings.tokens.issuer,
    AUTH_AUDIENCE: settings.tokens.audience,
  }
  const urlOf = (database: keyof typeof databases) =>
    databaseUrl(addresses.databaseHost, databaseUsers[program], database)
  const own: Record<Program, Record<string, string>> = {
    'product-service': {
      ...tokens,
      ...portsOf('product-service'),
      DATABASE_URL: urlOf('products'),
      OUTBOX_RELAY: settings.relay ? 'off' : 'on',
    },
    relay: { DATABASE_URL: urlOf('products'), METRICS_PORT: String(ports.relay.operations) },
    'notification-service': { ...tokens, ...portsOf('notification-service'), DATABASE_URL: urlOf('notifications') },
    console: {
      HTTP_PORT: String(ports.console.http),
      PRODUCTS_DATABASE_URL: urlOf('products'),
      NOTIFICATIONS_DATABASE_URL: urlOf('notifications'),
      PRODUCT_SERVICE_OPERATIONS_URL: operationsUrl('product-service'),
      NOTIFICATION_SERVICE_OPERATIONS_URL: operationsUrl('notification-service'),
      AUTH_ALB_ARN: addresses.balancerArn,
      AUTH_ISSUER: settings.signIn.issuer,
    },
  }
  return {
    SERVICE: program,
    AWS_REGION: addresses.region,
    SQS_QUEUE_URL: addresses.queueUrl,
    // A task has an address of its own, and security groups decide who reaches it.
    HOST: '0.0.0.0',
    DATABASE_AUTH: 'iam',
    MIGRATE: 'off',
    ...own[program],
  }
}

type Service = 'product-service' | 'notification-service'

function portsOf(service: Service): Record<string, string> {
  return { HTTP_PORT: String(ports[service].http), METRICS_PORT: String(ports[service].operations) }
}

function operationsUrl(service: Service): string {
  return `http://${service}.${NAMESPACE}:${ports[service].operations}`
}

/** The migration runs as the owners of the tables, which no service is. */
export function migrationEnvironment(addresses: Pick<Addresses, 'region' | 'databaseHost'>): Record<string, string> {
  return {
    SERVICE: 'migrate',
    AWS_REGION: addresses.region,
    DATABASE_AUTH: 'iam',
    PRODUCTS_DATABASE_URL: databaseUrl(addresses.databaseHost, databaseUsers.productsOwner, 'products'),
    NOTIFICATIONS_DATABASE_URL: databaseUrl(addresses.databaseHost, databaseUsers.notificationsOwner, 'notifications'),
  }
}
