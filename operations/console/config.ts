import {
  accessKinds,
  isLoopback,
  type Kind,
  oneOf,
  optional,
  port,
  readConfig,
  secretUrl,
  StartError,
  text,
  type TokenIssuer,
  url,
} from '@product-events/process'
import type { AlbIssuer } from '@product-events/http-api'
import { logLevels } from '@product-events/telemetry'
import { operationsUrls, readDatabasesConfig, readQueueConfig } from '../config.ts'

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
    MIGRATE: oneOf(['start', 'off'] as const, 'start'),
    HOST: text('an address to listen on', '127.0.0.1'),
    HTTP_PORT: port(8084),
    LOG_LEVEL: oneOf(logLevels, 'info'),
    PRODUCT_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8082']),
    NOTIFICATION_SERVICE_OPERATIONS_URL: operationsUrls(['http://127.0.0.1:8083']),
    TRACE_URL: optional(url(['http', 'https'])),
    LOGS_URL: optional(url(['http', 'https'])),
    CONSOLE_CONTROL_URL: optional(secretUrl(['http'], 'http://:token@127.0.0.1:port')),
  })
  const { urls, credentials } = readDatabasesConfig(env)
  return {
    access: readAccess(env, variables.HOST),
    ...readQueueConfig(env),
    productsUrl: urls['product-service'],
    notificationsUrl: urls['notification-service'],
    credentials,
    migrates: variables.MIGRATE === 'start',
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

/**
 * Undefined without sign-in, which is for loopback only: the console changes things, and `AUTH=off` does not open it.
 */
function readAccess(env: NodeJS.ProcessEnv, host: string): TokenIssuer | AlbIssuer | undefined {
  const { AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ALB_ARN } = readConfig(env, {
    AUTH_JWKS_URL: accessKinds.AUTH_JWKS_URL,
    AUTH_ISSUER: accessKinds.AUTH_ISSUER,
    AUTH_AUDIENCE: accessKinds.AUTH_AUDIENCE,
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
