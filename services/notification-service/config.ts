import {
  accessKinds,
  databaseKinds,
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
import { readChannels } from './channels/config.ts'

export type Config = ReturnType<typeof readServiceConfig>

/** The one place of this service that knows the environment. Throws a `StartError` that names every wrong variable. */
export function readServiceConfig(env: NodeJS.ProcessEnv) {
  const variables = readConfig(env, {
    ...databaseKinds('notifications'),
    SQS_QUEUE_NAME: queueName,
    SQS_QUEUE_URL: queueUrl,
    AWS_REGION: text('an AWS region such as eu-central-1'),
    AWS_ENDPOINT_URL_SQS: optional(url(['http', 'https'])),
    HOST: text('an address to listen on', '127.0.0.1'),
    HTTP_PORT: port(8081),
    METRICS_PORT: port(8083),
    LOG_LEVEL: oneOf(logLevels, 'info'),
    // Only checked here: packages/telemetry/tracing.ts, which is loaded before the service, sends spans there.
    OTEL_EXPORTER_OTLP_ENDPOINT: optional(url(['http', 'https'])),
    CHANNELS_FILE: optional(text('the path of a JSON file, as in docs/channels.md')),
    ...accessKinds,
  })
  return {
    database: readDatabase(variables, 'notifications'),
    /** Made if it is not there. */
    queueName: variables.SQS_QUEUE_NAME,
    /** Must exist; then the name says nothing. */
    queueUrl: variables.SQS_QUEUE_URL,
    awsRegion: variables.AWS_REGION,
    sqsEndpoint: variables.AWS_ENDPOINT_URL_SQS,
    host: variables.HOST,
    httpPort: variables.HTTP_PORT,
    metricsPort: variables.METRICS_PORT,
    logLevel: variables.LOG_LEVEL,
    ...readApiAccess(variables),
    /** Webhooks and email; undefined when there is only the log. */
    channels: readChannels(variables.CHANNELS_FILE, env),
  }
}
