import {
  authText,
  authUrl,
  isLoopback,
  type Kind,
  oneOf,
  optional,
  port,
  queueName,
  queueUrl,
  readConfig,
  secretUrl,
  StartError,
  text,
  type TokenIssuer,
  url,
} from '@product-events/process'
import type { AlbIssuer } from '@product-events/http-api'
import { withDatabaseName } from '@product-events/database'
import { logLevels } from '@product-events/telemetry'
import { operationsUrls } from '../config.ts'

const postgresUrl = (database: string) =>
  optional(secretUrl(['postgres', 'postgresql'], `postgres://user:password@host:5432/${database}`))

/** `arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/app/<name>/<id>` */
const loadBalancerArn: Kind<string> = {
  expected: 'the ARN of an application load balancer',
  parse: (text) =>
    /^arn:aws[\w-]*:elasticloadbalancing:[\w-]+:\d{12}:loadbalancer\/app\/\S+$/.test(text) ? text : undefined,
}

export type ConsoleConfig = ReturnType<typeof readConsoleConfig>

/** Reads the environment of `npm run console`. Throws a `StartError` that names the variable that is wrong. */
export function readConsoleConfig(env: NodeJS.ProcessEnv) {
  const variables = readConfig(env, {
    DATABASE_URL: postgresUrl(''),
    PRODUCTS_DATABASE_URL: postgresUrl('products'),
    NOTIFICATIONS_DATABASE_URL: postgresUrl('notifications'),
    MIGRATE: oneOf(['start', 'off'] as const, 'start'),
    SQS_QUEUE_NAME: queueName,
    SQS_QUEUE_URL: queueUrl,
    AWS_REGION: text('an AWS region such as eu-central-1'),
    AWS_ENDPOINT_URL_SQS: optional(url(['http', 'https'])),
    HOST: text('an address to listen on', '127.0.0.1'),
    HTTP_PORT: port(8084),
    LOG_LEVEL: oneOf(logLevels, 'info'),
    PRODUCT_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8082']),
    NOTIFICATION_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8083']),
    TRACE_URL: optional(url(['http', 'https'])),
    LOGS_URL: optional(url(['http', 'https'])),
    CONSOLE_CONTROL_URL: optional(secretUrl(['http'], 'http://:token@127.0.0.1:port')),
  })
  return {
    access: readAccess(env, variables.HOST),
    productsUrl: databaseUrl(variables, 'PRODUCTS_DATABASE_URL', 'products'),
    notificationsUrl: databaseUrl(variables, 'NOTIFICATIONS_DATABASE_URL', 'notifications'),
    migrates: variables.MIGRATE === 'start',
    queueName: variables.SQS_QUEUE_NAME,
    queueUrl: variables.SQS_QUEUE_URL,
    awsRegion: variables.AWS_REGION,
    sqsEndpoint: variables.AWS_ENDPOINT_URL_SQS,
    host: variables.HOST,
    port: variables.HTTP_PORT,
    logLevel: variables.LOG_LEVEL,
    instances: [
      ...variables.PRODUCT_SERVICE_OPERATIONS_URL.map((url) => ({ service: 'product-service' as const, url })),
      ...variables.NOTIFICATION_SERVICE_OPERATIONS_URL.map((url) => ({
        service: 'notification-service' as const,
        url,
      })),
    ],
    traceUrl: variables.TRACE_URL,
    logsUrl: variables.LOGS_URL,
    controlUrl: variables.CONSOLE_CONTROL_URL,
  }
}

function databaseUrl(
  variables: Partial<
    Record<'DATABASE_URL' | 'PRODUCTS_DATABASE_URL' | 'NOTIFICATIONS_DATABASE_URL', string | undefined>
  >,
  name: 'PRODUCTS_DATABASE_URL' | 'NOTIFICATIONS_DATABASE_URL',
  database: string,
): string {
  const own = variables[name]
  if (own !== undefined) return own
  if (variables.DATABASE_URL === undefined)
    throw new StartError(`configuration: ${name} or DATABASE_URL must be set: postgres://user:password@host:5432`)
  return withDatabaseName(variables.DATABASE_URL, database)
}

/** Undefined without sign-in, which is for loopback only: the console changes things, and `AUTH=off` does not open it. */
function readAccess(env: NodeJS.ProcessEnv, host: string): TokenIssuer | AlbIssuer | undefined {
  const { AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ALB_ARN } = readConfig(env, {
    AUTH_JWKS_URL: authUrl,
    AUTH_ISSUER: authText,
    AUTH_AUDIENCE: authText,
    AUTH_ALB_ARN: optional(loadBalancerArn),
  })
  if (AUTH_ALB_ARN !== undefined) {
    if (AUTH_ISSUER === undefined) throw new StartError('configuration: AUTH_ALB_ARN requires AUTH_ISSUER')
    return { albArn: AUTH_ALB_ARN, issuer: AUTH_ISSUER }
  }
  if (AUTH_JWKS_URL !== undefined && AUTH_ISSUER !== undefined && AUTH_AUDIENCE !== undefined)
    return { jwksUrl: AUTH_JWKS_URL, issuer: AUTH_ISSUER, audience: AUTH_AUDIENCE }
  if (AUTH_JWKS_URL !== undefined || AUTH_AUDIENCE !== undefined || AUTH_ISSUER !== undefined)
    throw new StartError('configuration: AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE must be set together')
  if (isLoopback(host)) return undefined
  throw new StartError(
    `configuration: other machines can reach HOST=${host}, and the console can redrive events: ` +
      'set AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE, or AUTH_ALB_ARN behind a load balancer that signs users in',
  )
}
