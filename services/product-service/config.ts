import {
  accessKinds,
  databaseKinds,
  integer,
  oneOf,
  optional,
  port,
  queueName,
  queueUrl,
  readApiAccess,
  readConfig,
  readDatabase,
  text,
  url,
} from '@product-events/process'
import { logLevels } from '@product-events/telemetry'

/** A year of processed events: more belongs in an archive. */
const MAX_RETENTION_HOURS = 365 * 24

const host = text('an address to listen on', '127.0.0.1')

export type Config = ReturnType<typeof readRelayConfig>

/** The one place of this service that knows the environment. Throws a `StartError` that names every wrong variable. */
export function readProductServiceConfig(env: NodeJS.ProcessEnv) {
  const variables = readConfig(env, {
    HOST: host,
    OUTBOX_RELAY: oneOf(['on', 'off'] as const, 'on'),
    ...accessKinds,
  })
  return {
    ...readRelayConfig(env),
    /** `off`: only `npm run relay` publishes events. */
    relay: variables.OUTBOX_RELAY,
    ...readApiAccess(variables),
  }
}

/** The database of a command on the products. */
export function readDatabaseConfig(env: NodeJS.ProcessEnv) {
  const region = text('an AWS region such as eu-central-1', '')
  return readDatabase(readConfig(env, { ...databaseKinds('products'), AWS_REGION: region }), 'products')
}

/** What both programs of this folder need. The relay alone has no API, and so no tokens. */
export function readRelayConfig(env: NodeJS.ProcessEnv) {
  const variables = readConfig(env, {
    ...databaseKinds('products'),
    SQS_QUEUE_NAME: queueName,
    SQS_QUEUE_URL: queueUrl,
    AWS_REGION: text('an AWS region such as eu-central-1'),
    AWS_ENDPOINT_URL_SQS: optional(url(['http', 'https'])),
    HOST: host,
    HTTP_PORT: port(8080),
    METRICS_PORT: port(8082),
    LOG_LEVEL: oneOf(logLevels, 'info'),
    // Only checked here: packages/telemetry/tracing.ts, which is loaded before the service, sends spans there.
    OTEL_EXPORTER_OTLP_ENDPOINT: optional(url(['http', 'https'])),
    OUTBOX_POLL_INTERVAL_MS: integer({ min: 10, max: 60_000, unit: 'milliseconds' }, 2000),
    OUTBOX_RETENTION_HOURS: integer({ min: 1, max: MAX_RETENTION_HOURS, unit: 'hours' }, 72),
  })
  return {
    database: readDatabase(variables, 'products'),
    queueName: variables.SQS_QUEUE_NAME,
    queueUrl: variables.SQS_QUEUE_URL,
    awsRegion: variables.AWS_REGION,
    sqsEndpoint: variables.AWS_ENDPOINT_URL_SQS,
    host: variables.HOST,
    httpPort: variables.HTTP_PORT,
    metricsPort: variables.METRICS_PORT,
    logLevel: variables.LOG_LEVEL,
    pollIntervalMs: variables.OUTBOX_POLL_INTERVAL_MS,
    retentionHours: variables.OUTBOX_RETENTION_HOURS,
  }
}
